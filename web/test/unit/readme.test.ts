import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const web = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(`${web}README.md`, 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, code = '']) => code,
  );

/** From inside the package its own name leads to dist/, as it does for who has installed it. */
function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: web, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** Two processes start an engine each, maybe on a machine with other work. */
const TIMEOUT = 60_000;

describe.skipIf(!existsSync(`${web}dist/node.js`))('the examples of the README (need dist/)', { timeout: TIMEOUT }, () => {
  it('compute what their comments say', () => {
    const [first = ''] = blocks('js');
    expect(first).toContain('// 11, 0');
    const printed = run(process.execPath, ['--input-type=module', '--eval', first]);
    expect(printed).toContain('[ 11, 0 ]');
  });

  it('run from the shell', () => {
    const line = blocks('sh').find((one) => one.startsWith('node -e')) ?? '';
    expect(run('sh', ['-c', line])).toContain("kind: 'cpu'");
  });
});
