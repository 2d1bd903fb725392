import { everything } from './compute.js';
import { answer } from './scopes.js';

self.onconnect = ({ ports: [port] }) => answer(port, everything);
