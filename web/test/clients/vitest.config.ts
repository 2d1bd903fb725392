import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: 'setup.ts',
    include: ['**/*.test.ts'],
    root: import.meta.dirname,
    // Sessions are made and models loaded within one test; a client that hangs fails by this.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One browser at a time.
    fileParallelism: false,
  },
});
