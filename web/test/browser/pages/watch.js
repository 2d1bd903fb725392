/** Watches the page's workers from its start, so that a test can kill one. */
export function watchWorkers() {
  globalThis.workers = [];
  globalThis.Worker = class extends globalThis.Worker {
    constructor(...args) {
      super(...args);
      this.script = String(args[0]).split('/').pop();
      globalThis.workers.push(this);
    }
  };
}
