/// <reference types="vite/client" />

declare module '*.onnx?url' {
  const address: string;
  export default address;
}
