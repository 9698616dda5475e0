// A unified diff from what was read to what would be stored, document by document.
import { styleText } from 'node:util'
import { type StructuredPatchHunk, structuredPatch } from 'diff'
import { nameOf } from './remarks.ts'
import type { RenderedObject } from './render.ts'

const CONTEXT = 3
/** Texts that are further apart are shown as one taken out and one put in: comparing takes the square of this. */
const MOST_EDITS = 1500

type Colour = Parameters<typeof styleText>[0]

/** Empty if nothing changes. Line numbers are those of the file. */
export function diffOf({ object, text, source }: RenderedObject, colour: boolean): string {
  const before = source?.text ?? ''
  if (before === text) return ''
  const paint = (format: Colour, line: string) => (colour ? styleText(format, line, { validateStream: false }) : line)
  const name = nameOf(object)
  const [from, to] = source === undefined ? ['/dev/null', name] : Array(2).fill(`${source.doc.file}\t${name}`)
  const lines = [paint('bold', `--- ${from}`), paint('bold', `+++ ${to}`)]
  const offset = source === undefined ? 0 : source.line - 1
  for (const hunk of hunks(before, text)) {
    const old = range(hunk.oldStart + offset, hunk.oldLines)
    lines.push(paint('cyan', `@@ -${old} +${range(hunk.newStart + offset, hunk.newLines)} @@`))
    for (const line of hunk.lines) {
      if (line.startsWith('-')) lines.push(paint('red', line))
      else lines.push(line.startsWith('+') ? paint('green', line) : line)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Of no lines the one before is named. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`
}

function hunks(before: string, after: string): readonly StructuredPatchHunk[] {
  const options = { context: CONTEXT, maxEditLength: MOST_EDITS }
  const patch = structuredPatch('', '', before, after, undefined, undefined, options)
  return patch?.hunks ?? [replacement(before, after)]
}

function replacement(before: string, after: string): StructuredPatchHunk {
  const [old, now] = [before, after].map(text => text.split('\n').slice(0, -1))
  const lines = [...old!.map(line => `-${line}`), ...now!.map(line => `+${line}`)]
  return { oldStart: 1, oldLines: old!.length, newStart: 1, newLines: now!.length, lines }
}
