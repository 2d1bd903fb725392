/** Runs tests in Node, each file in a process of its own: what the addon crashes is one file. */

import { fork } from 'node:child_process';
import path from 'node:path';
import { silence } from './in-browser.mjs';

const GRACE = 20_000;

export async function runInNode({ root, jobs, dist, workers, timeoutOf, report }) {
  const queue = [...jobs];
  await Promise.all(
    Array.from({ length: Math.min(workers, jobs.length) }, async () => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        report(await runProcess(root, dist, job, timeoutOf(job.test)));
      }
    }),
  );
  return process.version;
}

async function runProcess(root, dist, job, timeout) {
  const seen = [];
  const child = fork(path.join(import.meta.dirname, 'node-shell.mjs'), [], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const end = await new Promise((resolve) => {
    const fail = (message) => resolve({ status: 1, message, tests: seen });
    const timer = setTimeout(() => fail(silence(seen, timeout)), timeout + GRACE);
    child.on('message', (message) => {
      if (message.test !== undefined) seen.push(message.test);
      if (message.done !== undefined) resolve(message.done);
    });
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`the process ended with ${signal ?? code}: ${stderr.trim().slice(-1000)}`);
    });
    child.send({ root, dist, test: job.test, variant: job.variant, timeout });
  });
  child.kill('SIGKILL');
  return { ...job, ...end };
}
