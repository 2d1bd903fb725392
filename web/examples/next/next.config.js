/** A site of plain files, as any static server serves it. */
export default {
  output: 'export',
  // Lock files further up are not this project's.
  turbopack: { root: import.meta.dirname },
};
