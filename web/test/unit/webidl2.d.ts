/** The part of the parser's result that the tests read. */
declare module 'webidl2' {
  export interface IdlMember {
    readonly type: string;
    readonly name: string;
    readonly idlType?: { readonly generic: string };
    readonly arguments?: readonly { readonly optional: boolean }[];
  }

  export interface IdlDefinition {
    readonly type: string;
    readonly name: string;
    readonly members: readonly IdlMember[];
  }

  export function parse(text: string): IdlDefinition[];
}
