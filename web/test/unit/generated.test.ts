import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, expectTypeOf, it } from 'vitest';

import type {} from '../../src/globals.gen.js';
import { ml, MLGraphBuilder as Builder, type MLOperand as Operand } from '../../src/index.js';

describe('what is generated from the IDL', () => {
  it('is up to date', () => {
    const script = fileURLToPath(new URL('../../tools/codegen.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('types the globals as it types the exports', () => {
    expectTypeOf(ml).toEqualTypeOf<ML>();
    expectTypeOf<Navigator['ml']>().toEqualTypeOf<ML>();
    expectTypeOf<WorkerNavigator['ml']>().toEqualTypeOf<ML>();
    expectTypeOf<Operand>().toEqualTypeOf<MLOperand>();
    expectTypeOf<InstanceType<typeof Builder>>().toEqualTypeOf<MLGraphBuilder>();
    expectTypeOf<ML['createContext']>().returns.toEqualTypeOf<Promise<MLContext>>();
  });

  it('types calls as they are meant', () => {
    type Methods = MLGraphBuilder;
    expectTypeOf<Methods['split']>().parameter(1).toEqualTypeOf<number | Iterable<number>>();
    expectTypeOf<Methods['split']>().returns.toEqualTypeOf<MLOperand[]>();
    expectTypeOf<Methods['clamp']>().parameter(1).toEqualTypeOf<MLClampOptions | undefined>();
    expectTypeOf<MLClampOptions>().toHaveProperty('minValue').toEqualTypeOf<MLNumber | undefined>();
    expectTypeOf<MLTensorDescriptor>().toExtend<MLOperandDescriptor>();
    expectTypeOf<MLOperandDescriptor['shape']>().toEqualTypeOf<Iterable<number>>();
    expectTypeOf<MLOpSupportLimits['conv2d']['filter']['dataTypes']>().toEqualTypeOf<
      MLOperandDataType[]
    >();
    expectTypeOf<MLGraph['devices']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<MLContextOptions['powerPreference']>().toEqualTypeOf<
      MLPowerPreference | undefined
    >();
  });
});
