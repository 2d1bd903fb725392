import '/dist/polyfill.js';
import { everything } from './compute.js';
import { answer } from './scopes.js';

answer(self, everything);
