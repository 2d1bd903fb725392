import { everything } from './compute.js';
import { answer } from './scopes.js';

self.onmessage = ({ ports: [port] }) => answer(port, everything);
