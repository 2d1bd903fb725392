const addons = () => process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node')).length;

const { ml } = await import('../../../dist/node.js');
const before = addons();
await ml.createContext();
console.log(JSON.stringify({ before, after: addons() }));
