import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { makeEntry } from '../../src/entry.js';
import { interfaceObjects } from '../../src/interfaces.js';
import { FakeHost } from './fake-host.js';

const GLOBALS = [...Object.keys(interfaceObjects), 'GPUDevice', 'navigator', 'isSecureContext'];

let before: Map<string, PropertyDescriptor | undefined>;

beforeEach(() => {
  before = new Map(
    GLOBALS.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]),
  );
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const [name, descriptor] of before) {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, descriptor);
  }
});

function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

function getGlobal(name: string): unknown {
  return (globalThis as Record<string, unknown>)[name];
}

function present(): unknown {
  return (getGlobal('navigator') as { ml?: unknown } | undefined)?.ml;
}

/** A browser's navigator, whose attributes only its own objects answer. */
function makeNavigator(ml?: object): object {
  class Navigator {
    #agent = 'a browser';
    get userAgent(): string {
      return this.#agent;
    }
  }
  if (ml !== undefined) {
    Object.defineProperty(Navigator.prototype, 'ml', { get: () => ml, configurable: true });
  }
  return new Navigator();
}

type CreateContext = (...args: unknown[]) => Promise<unknown>;

/** A browser's own API, with a class and interface objects that are not ours. */
function nativeIn(names: readonly string[] = Object.keys(interfaceObjects)) {
  const context = { destroy: vi.fn() };
  const createContext = vi.fn<CreateContext>(() => Promise.resolve(context));
  class ML {
    context = context;
    /** What the API's own method was called with. */
    calls = createContext.mock.calls;
    answer = createContext;

    createContext(...args: unknown[]): Promise<unknown> {
      return createContext(...args);
    }
  }
  for (const name of names) setGlobal(name, vi.fn());
  const native = new ML();
  setGlobal('navigator', makeNavigator(native));
  return native;
}

const entry = () => makeEntry(() => new FakeHost());

describe('install where there is no WebNN', () => {
  it('has put everything in place when it returns', () => {
    setGlobal('navigator', makeNavigator());
    const { ml, install } = entry();
    void install();
    expect(present()).toBe(ml);
    for (const [name, value] of Object.entries(interfaceObjects)) {
      expect(Object.getOwnPropertyDescriptor(globalThis, name)).toEqual({
        value,
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
  });

  it('makes ml a read-only attribute of the interface, checked for its object', async () => {
    const navigator = makeNavigator();
    setGlobal('navigator', navigator);
    const { ml, install } = entry();
    await expect(install()).resolves.toBe('ours');
    expect(Object.hasOwn(navigator, 'ml')).toBe(false);
    const prototype = Object.getPrototypeOf(navigator) as object;
    const descriptor = Object.getOwnPropertyDescriptor(prototype, 'ml');
    expect(descriptor).toMatchObject({ set: undefined, enumerable: true, configurable: true });
    expect(descriptor?.get?.name).toBe('get ml');
    expect(() => (prototype as { ml: unknown }).ml).toThrow(TypeError);
    expect((navigator as { ml: unknown }).ml).toBe(ml);
  });

  it('makes a navigator where there is none, and uses a plain one', async () => {
    setGlobal('navigator', undefined);
    await entry().install();
    const navigator = getGlobal('navigator') as object;
    expect(navigator).toMatchObject({ userAgent: expect.stringMatching(/^Node/) as string });
    expect(() => (Object.getPrototypeOf(navigator) as { ml: unknown }).ml).toThrow(TypeError);
    setGlobal('navigator', { userAgent: 'plain' });
    const { ml, install } = entry();
    await install();
    expect(present()).toBe(ml);
    expect('ml' in {}).toBe(false);
  });

  it('gives a GPUDevice to be asked for where there is none, and leaves one that is there', async () => {
    setGlobal('navigator', makeNavigator());
    Reflect.deleteProperty(globalThis, 'GPUDevice');
    await entry().install();
    const Stub = getGlobal('GPUDevice') as new () => unknown;
    expect({} instanceof Stub).toBe(false);
    expect(() => new Stub()).toThrow(TypeError);
    const device = vi.fn();
    setGlobal('GPUDevice', device);
    await entry().install();
    expect(getGlobal('GPUDevice')).toBe(device);
  });

  it('can be called again', async () => {
    setGlobal('navigator', makeNavigator());
    const { ml, install } = entry();
    await install();
    await expect(install()).resolves.toBe('ours');
    await expect(install({ prefer: 'ours' })).resolves.toBe('ours');
    expect(present()).toBe(ml);
  });

  it('installs nothing in an insecure context, and says so', async () => {
    setGlobal('navigator', makeNavigator());
    setGlobal('isSecureContext', false);
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    await expect(entry().install()).resolves.toBe('none');
    expect(present()).toBeUndefined();
    expect(warn).toHaveBeenCalledOnce();
  });
});

describe('install beside the browser’s own WebNN', () => {
  it('leaves it alone where it can make a context', async () => {
    const native = nativeIn();
    const { createContext } = Object.getPrototypeOf(native) as Record<string, unknown>;
    const { MLContext } = globalThis as Record<string, unknown>;
    await expect(entry().install()).resolves.toBe('native');
    expect(present()).toBe(native);
    expect(getGlobal('MLContext')).toBe(MLContext);
    expect(native.context.destroy).toHaveBeenCalledOnce();
    expect(Object.getPrototypeOf(native)).toHaveProperty('createContext', createContext);
  });

  it('leaves it alone where the page’s policy forbids it', async () => {
    const native = nativeIn();
    native.answer.mockImplementation(() => Promise.reject(new DOMException('no', 'SecurityError')));
    await expect(entry().install()).resolves.toBe('native');
  });

  it('replaces it where it cannot make a context', async () => {
    const native = nativeIn();
    native.answer.mockImplementation(() => Promise.reject(new DOMException('no', 'NotSupportedError')));
    const { ml, install } = entry();
    await expect(install()).resolves.toBe('ours');
    expect(present()).toBe(ml);
    expect(getGlobal('MLContext')).toBe(interfaceObjects.MLContext);
  });

  it('replaces one without its interfaces, and does not call it', async () => {
    const native = nativeIn(['ML']);
    const { ml, install } = entry();
    await install();
    expect(present()).toBe(ml);
    expect(native.calls).toEqual([]);
  });

  it('replaces one that works where ours is preferred', () => {
    nativeIn();
    const { ml, install } = entry();
    void install({ prefer: 'ours' });
    expect(present()).toBe(ml);
  });

  it('replaces one that does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const native = nativeIn();
      native.answer.mockImplementation(() => new Promise(() => undefined));
      const installed = entry().install();
      await vi.runAllTimersAsync();
      await expect(installed).resolves.toBe('ours');
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives who asks meanwhile a context of the one that is chosen', async () => {
    for (const works of [true, false]) {
      const native = nativeIn();
      if (!works) native.answer.mockRejectedValue(new TypeError('no'));
      const { install } = entry();
      void install();
      const context = await native.createContext({ deviceType: 'gpu' });
      if (works) {
        expect(context).toBe(native.context);
        expect(native.calls).toEqual([[], [{ deviceType: 'gpu' }]]);
      } else {
        expect(context).toBeInstanceOf(interfaceObjects.MLContext);
      }
    }
  });

  it('asks it once, however often it is called', async () => {
    const native = nativeIn();
    const { install } = entry();
    await Promise.all([install(), install()]);
    expect(native.calls).toHaveLength(1);
  });
});
