// Aliases and merge keys of a YAML document, resolved just where a change would otherwise reach other places too.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from 'yaml'

/** A copy that stands for itself: without anchors, and with everything that its aliases stand for. */
export function copyOf(node: Node, document: Document): Node {
  const original = isAlias(node) ? target(node, document) : node
  const stands: Node[] = []
  visit(original, { Alias: (_, alias) => void stands.push(copyOf(alias, document)) })
  const copy = original.clone() as Node
  visit(copy, {
    // An alias in the copy could find another anchor of the same name, so each is replaced; they come in the same order.
    Alias: () => stands.shift(),
    Value: (_, value) => {
      delete value.anchor
    },
  })
  return copy
}

/** Before a node and what is in it change: what others refer to by alias is copied to where they do. */
export function detach(node: Node, document: Document, depth: 'node' | 'all'): void {
  visit(node, {
    Value: (_, value) => {
      if (value.anchor !== undefined) replaceAliases(value, value.anchor, document)
      return depth === 'node' ? visit.BREAK : undefined
    },
  })
}

function replaceAliases(node: Node & { anchor?: string }, anchor: string, document: Document): void {
  visit(document, {
    Alias: (_, alias) =>
      alias.source === anchor && alias.resolve(document) === node ? copyOf(node, document) : undefined,
  })
  delete node.anchor
}

/** Puts the pairs that a map has from others (`<<`) into it. */
export function expandMerges(map: YAMLMap, document: Document): void {
  for (let at = map.items.findIndex(isMerge); at !== -1; at = map.items.findIndex(isMerge)) {
    const [merge] = map.items.splice(at, 1)
    const own = new Set(map.items.map(pair => keyText(pair, document)))
    const inherited = mergedMaps(merge!.value, document).flatMap(source => source.items)
    for (const pair of inherited) {
      const key = keyText(pair, document)
      if (own.has(key)) continue
      own.add(key)
      map.items.splice(at++, 0, pair)
    }
  }
}

function mergedMaps(value: unknown, document: Document): YAMLMap[] {
  const source = isAlias(value) ? target(value, document) : value
  const maps = isSeq(source) ? source.items : [source]
  return maps.map(each => {
    const map = copyOf(each as Node, document)
    if (!isMap(map)) throw new Error('a merge key stands for something else than maps')
    expandMerges(map, document)
    return map
  })
}

export function isMerge({ key }: Pair): boolean {
  if (!isScalar(key) || (key.type !== undefined && key.type !== 'PLAIN')) return false
  return key.value === '<<' || (typeof key.value === 'symbol' && key.value.description === '<<')
}

/** A key as the name of a field. */
export function keyText({ key }: Pair, document: Document): string | undefined {
  const node = isAlias(key) ? target(key, document) : key
  return isScalar(node) ? String(node.value ?? '') : undefined
}

function target(alias: Alias, document: Document): Node {
  const node = alias.resolve(document)
  if (node === undefined) throw new Error(`nothing has the anchor ${alias.source}`)
  return node
}
