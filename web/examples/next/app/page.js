'use client';

import 'webnn/polyfill';
import { contextInfo } from 'webnn';
import { useEffect, useState } from 'react';
import { xor } from './xor.js';

export default function Page() {
  const [shown, show] = useState({ result: '', device: '' });
  useEffect(() => {
    const compute = async () => {
      const context = await navigator.ml.createContext();
      const result = (await xor(context)).join(' ');
      show({ result, device: contextInfo(context).reason });
    };
    compute().catch((error) => show({ result: String(error), device: '' }));
  }, []);
  return (
    <>
      <p>
        00, 01, 10, 11 under exclusive or: <output id="result">{shown.result}</output>
      </p>
      <p>
        Computed on: <output id="device">{shown.device}</output>
      </p>
    </>
  );
}
