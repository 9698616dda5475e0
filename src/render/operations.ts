// A JSON Patch applied to a YAML document as it was written: comments, order and style of everything else stay.
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Operation } from '../core/types.ts'
import { copyOf, detach, expandMerges, isMerge, keyText } from './aliases.ts'

export function applyOperations(document: Document, patch: readonly Operation[]): void {
  for (const operation of patch) {
    const steps = operation.path.split('/').slice(1).map(unescaped)
    const last = steps.pop()
    if (last === undefined) throw new Error('a patch of the whole document')
    const parent = steps.reduce((node, step) => ownChild(node, step, document), ownRoot(document))
    if (isSeq(parent)) changeItem(parent, last, operation, document)
    else if (isMap(parent)) changeField(parent, last, operation, document)
    else throw new Error(`${operation.path} is in nothing that has fields`)
  }
}

function unescaped(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

function ownRoot(document: Document): Node {
  const root = document.contents as Node
  detach(root, document, 'node')
  return root
}

/** The child of a node, in a place that no alias shares. */
function ownChild(node: Node, step: string, document: Document): Node {
  const child = isSeq(node) ? ownItem(node, step, document) : isMap(node) ? ownField(node, step, document) : undefined
  if (child === undefined) throw new Error(`there is no ${step} to be changed`)
  detach(child, document, 'node')
  return child
}

function ownItem(seq: YAMLSeq, step: string, document: Document): Node | undefined {
  const item = seq.items[Number(step)] as Node | undefined
  if (!isAlias(item)) return item
  const copy = copyOf(item, document)
  seq.items[Number(step)] = copy
  return copy
}

function ownField(map: YAMLMap, step: string, document: Document): Node | undefined {
  if (find(map, step, document) === undefined) expandMerges(map, document)
  const pair = find(map, step, document)
  if (isAlias(pair?.value)) pair.value = copyOf(pair.value, document)
  return pair?.value as Node | undefined
}

function find(map: YAMLMap, key: string, document: Document): Pair | undefined {
  return map.items.find(pair => !isMerge(pair) && keyText(pair, document) === key)
}

function changeItem(seq: YAMLSeq, step: string, operation: Operation, document: Document): void {
  const at = step === '-' ? seq.items.length : Number(step)
  if (operation.op === 'add') {
    asBlock(seq)
    seq.items.splice(at, 0, document.createNode(operation.value, LITERAL))
    return
  }
  const old = seq.items[at] as Node
  detach(old, document, 'all')
  if (operation.op === 'remove') seq.items.splice(at, 1)
  else seq.items[at] = inPlaceOf(old, document.createNode(operation.value, LITERAL))
}

function changeField(map: YAMLMap, key: string, operation: Operation, document: Document): void {
  // What a merge key gives would show again under a field that is taken out.
  if (operation.op === 'remove') expandMerges(map, document)
  const pair = find(map, key, document)
  const old = pair?.value as Node | null | undefined
  if (old) detach(old, document, 'all')
  if (operation.op === 'remove') {
    map.items = map.items.filter(each => each !== pair)
    return
  }
  const value = document.createNode(operation.value, LITERAL)
  if (pair !== undefined) {
    pair.value = inPlaceOf(old, value)
    return
  }
  asBlock(map)
  map.items.push(new Pair(document.createNode(key), value))
}

/** A collection that was empty had to be written in flow style; what comes into it needn't be. */
function asBlock(collection: YAMLMap | YAMLSeq): void {
  if (collection.items.length === 0 && !collection.comment) collection.flow = false
}

function inPlaceOf(old: Node | null | undefined, value: Node): Node {
  if (!old) return value
  value.spaceBefore = old.spaceBefore ?? false
  // On a collection a comment at the end of the line goes above its first entry.
  const comments = [old.commentBefore, old.comment].filter(text => text != null)
  if (isScalar(old) && isCollection(value) && value.items.length > 0) value.commentBefore = comments.join('\n') || null
  else {
    value.commentBefore = old.commentBefore ?? null
    value.comment = old.comment ?? null
  }
  if (isScalar(old) && isScalar(value) && old.type?.startsWith('QUOTE') && value.type === undefined) {
    if (typeof value.value === 'string') value.type = old.type
  }
  return value
}

/** The same value twice is written twice. */
const LITERAL = { aliasDuplicateObjects: false } as const
