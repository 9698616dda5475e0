// How a YAML text is laid out, so that what is written into it looks like the rest. A wrong guess changes looks only.

export type Style = {
  readonly lineWidth: 0
  readonly indent: number
  readonly indentSeq: boolean
  readonly flowCollectionPadding: boolean
}

export function styleOf(text: string): Style {
  return {
    lineWidth: 0,
    indent: /^[A-Za-z][^\n]*:[^\S\n]*(?:#[^\n]*)?\n( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2,
    indentSeq: !/^( *)(?:- )?[A-Za-z][^\n]*:[^\S\n]*(?:#[^\n]*)?\n\1- /m.test(text),
    flowCollectionPadding: !/[:-] [{[][^\s\]}]/.test(text),
  }
}

/** The indentation of a text in JSON; empty: it is on one line. */
export function jsonIndent(text: string): string {
  return /^\s*\{\r?\n([ \t]+)/.exec(text)?.[1] ?? ''
}
