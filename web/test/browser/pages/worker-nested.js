import { answer, inModuleWorker } from './scopes.js';

answer(self, inModuleWorker);
