// The line on which a field of a YAML document stands.
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter } from 'yaml'
import type { FieldPath } from './field-path.ts'

/** Of the field, or of the closest one above that is there. */
export function lineOf(yaml: Document.Parsed, path: FieldPath, lines: LineCounter): number {
  let node: unknown = yaml.contents
  let offset = start(node) ?? yaml.range[0]
  for (const step of path) {
    const found = child(isAlias(node) ? node.resolve(yaml) : node, step)
    if (found === undefined) break
    offset = start(found.at) ?? offset
    node = found.value
  }
  return Math.max(1, lines.linePos(offset).line)
}

function child(node: unknown, step: string | number): { at: unknown; value: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)]
    return item === undefined ? undefined : { at: item, value: item }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
  return pair && { at: pair.key, value: pair.value }
}

function start(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}
