import { install } from '/dist/index.js';
import { everything } from './compute.js';
import { answer } from './scopes.js';

// A service worker refuses modules that await at their top.
install();
self.onmessage = ({ ports: [port] }) => answer(port, everything);
