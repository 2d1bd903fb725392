import { install } from '/dist/index.js';
import { everything } from './compute.js';
import { answer } from './scopes.js';

// The page connects before a module that awaits at its top has come to this line.
install();
self.onconnect = ({ ports: [port] }) => answer(port, everything);
