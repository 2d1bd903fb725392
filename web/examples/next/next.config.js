/** A site of plain files, as any static server serves it. */
export default { output: 'export' };
