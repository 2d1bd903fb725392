import { everything } from './compute.js';
import { answer } from './scopes.js';

answer(self, everything);
