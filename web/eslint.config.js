import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const names = (text) => Object.fromEntries(text.split(' ').map((name) => [name, 'readonly']));

export default tseslint.config(
  { ignores: ['dist', 'wasm', 'examples', 'demo/dist', '**/*.gen.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  // Untyped programs: there the compiler does not look for names that do not exist.
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: names('AbortController Buffer URL clearTimeout console fetch performance process setTimeout structuredClone'),
    },
  },
  {
    files: ['test/browser/pages/**', 'tools/wpt/client.js'],
    languageOptions: {
      globals: names(
        'DOMException MLGraphBuilder MessageChannel PerformanceObserver SharedWorker Worker clearInterval crypto document gc navigator ' +
          'self setInterval window',
      ),
    },
  },
);
