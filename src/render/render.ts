// Everything that admission and the controller would make of documents: pure, from texts to texts.
import { isDeepStrictEqual } from 'node:util'
import { companions, identity, scopeKey } from '../core/companions.ts'
import type { Facts, GatewayKind, KubeObject, Reason, Scope } from '../core/types.ts'
import { rankOfCompanion, rankOfDocument } from './order.ts'
import { isRoute, type Outcome, outcomeOf } from './outcome.ts'
import type { Source } from './source.ts'
import { yamlOf } from './yaml.ts'

export type Rendered = {
  readonly objects: readonly RenderedObject[]
  readonly refused: readonly Remark[]
  readonly warnings: readonly Remark[]
}

/** `source`: what it was in the input. */
export type RenderedObject = { readonly object: KubeObject; readonly text: string; readonly source?: Source }
export type Remark = { readonly source: Source; readonly reason: Reason }

type Ranked = RenderedObject & { readonly rank: number }

export function render(sources: readonly Source[], facts: Facts, gateways: readonly GatewayKind[]): Rendered {
  const outcomes = sources.map(source => ({ source, ...outcomeOf(source, facts, gateways) }))
  const scopes = outcomes.flatMap(outcome => outcome.scopes)
  const made = companionsOf(scopes, facts, gateways, new Map(sources.map(each => [identity(each.doc.object), each])))
  // A companion in the input gives way to the one that is made now.
  const documents = outcomes.filter(({ source }) => !made.has(identity(source.doc.object))).map(documentOf)
  return {
    // Sorting is stable.
    objects: [...documents, ...made.values()].sort((a, b) => a.rank - b.rank),
    refused: outcomes.flatMap(({ source, refused }) => refused.map(reason => ({ source, reason }))),
    warnings: outcomes.flatMap(({ source, warnings }) => warnings.map(reason => ({ source, reason }))),
  }
}

function documentOf({ source, text }: Outcome & { source: Source }): Ranked {
  const { object } = source.doc
  return { object, text, source, rank: rankOfDocument(object, isRoute(object)) }
}

function companionsOf(
  scopes: readonly Scope[],
  facts: Facts,
  gateways: readonly GatewayKind[],
  sources: ReadonlyMap<string, Source>,
): Map<string, Ranked> {
  const made = new Map<string, Ranked>()
  for (const scope of new Map(scopes.map(each => [scopeKey(each), each])).values()) {
    for (const { object } of companions(scope, facts, gateways)) {
      const id = identity(object)
      if (!made.has(id)) made.set(id, companionOf(object, scope.of, sources.get(id)))
    }
  }
  return made
}

function companionOf(object: KubeObject, of: Scope['of'], source: Source | undefined): Ranked {
  const rank = rankOfCompanion(object, of)
  if (source === undefined) return { object, rank, text: yamlOf(object) }
  const isSame = isDeepStrictEqual(source.doc.object, JSON.parse(JSON.stringify(object)))
  return { object, rank, source, text: isSame ? source.text : yamlOf(object) }
}
