import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    // Some programs fill gigabytes of memory.
    testTimeout: 120_000,
  },
});
