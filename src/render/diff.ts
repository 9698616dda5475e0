// A unified diff from what was read to what would be stored, document by document.
import { styleText } from 'node:util'
import { structuredPatch } from 'diff'
import { nameOf } from './name.ts'
import type { RenderedObject } from './render.ts'

/** Two texts that differ in more lines than this are shown as one taken out and one put in. */
const MOST_EDITS = 2000

/** Empty if nothing changes. Line numbers are those of the file. */
export function diffOf({ object, text, source }: RenderedObject, colour: boolean): string {
  const before = source?.text ?? ''
  if (before === text) return ''
  const name = nameOf(object)
  const file = source?.doc.file
  const offset = source === undefined ? 0 : source.line - 1
  const paint = colour ? colours : plain
  const lines = [
    paint('bold', `--- ${file === undefined ? '/dev/null' : `${file}\t${name}`}`),
    paint('bold', `+++ ${file ?? ''}\t${name}`),
  ]
  for (const { oldStart, oldLines, newStart, newLines, lines: changes } of hunks(before, text)) {
    lines.push(paint('cyan', `@@ -${oldStart + offset},${oldLines} +${newStart + offset},${newLines} @@`))
    for (const change of changes) lines.push(paint(COLOURS[change[0] ?? ''], change))
  }
  return `${lines.join('\n')}\n`
}
