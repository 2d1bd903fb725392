import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Writes the service worker with the list of all files that the build has made. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle: {
      // After the pages themselves, which are files of the build, too.
      order: 'post',
      handler(_, bundle) {
        const files = [...Object.keys(bundle), ...readdirSync(here('public'))].filter((name) => !name.endsWith('.map')).sort();
        const version = createHash('sha256');
        for (const item of Object.values(bundle)) {
          version.update(item.type === 'chunk' ? item.code : item.source);
        }
        const source = readFileSync(here('sw.template.js'), 'utf8')
          .replace('= __FILES__', `= ${JSON.stringify(['./', ...files.map((name) => `./${name}`)], undefined, 2)}`)
          .replace('__VERSION__', version.digest('hex').slice(0, 16));
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
    },
  };
}

export default defineConfig({
  root: here('.'),
  base: './',
  resolve: {
    // The package as its users have it: what `npm run build` has made.
    alias: [
      { find: /^webnn$/, replacement: here('../dist/index.js') },
      { find: /^webnn\/onnx$/, replacement: here('../dist/onnx.js') },
    ],
  },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    emptyOutDir: true,
    rolldownOptions: {
      input: ['index.html', 'digit.html', 'camera.html', 'model.html'].map((name) => here(name)),
    },
  },
  plugins: [serviceWorker()],
  server: {
    fs: { allow: [here('../..')] },
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
});
