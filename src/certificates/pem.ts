// Certificates and keys as text.

export type Pair = { readonly cert: string; readonly key: string }

/** Ends with a line break, so that bundles are made by joining. */
export function pem(text: string): string {
  return `${text.trimEnd()}\n`
}
