/** What a made-up answer consists of; the type comes from the path's extension by default. */
export interface Made {
  readonly body: string | Uint8Array;
  readonly type?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Headers = Readonly<Record<string, string>>;

export interface ServeOptions {
  /** Folders by URL prefix, such as `{ '/dist/': 'dist' }`; the longest prefix that has the file wins. */
  readonly roots?: Readonly<Record<string, string | URL>>;
  /** By default any free one. */
  readonly port?: number;
  /** Whether pages are cross-origin isolated (COOP and COEP on every answer). */
  readonly isolated?: boolean;
  /** More headers, such as a content security policy; for all answers, or by path. */
  readonly headers?: Headers | ((pathname: string) => Headers);
  /** Makes up an answer, or leaves the path to the folders. */
  readonly generate?: (url: URL) => Made | undefined | Promise<Made | undefined>;
}

export interface Server {
  /** Without a slash at the end: `http://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

export const ISOLATION: Headers;
export function mimeType(file: string): string;
export function serve(options?: ServeOptions): Promise<Server>;
