import 'webnn/polyfill';
import { contextInfo } from 'webnn';
import { xor } from './xor.js';

const context = await navigator.ml.createContext();
document.querySelector('#result').textContent = (await xor(context)).join(' ');
document.querySelector('#device').textContent = contextInfo(context).reason;
