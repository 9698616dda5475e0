// JSON Schema to what a CRD may hold: a structural schema of OpenAPI v3.
import * as z from 'zod'

export type Structural = {
  readonly properties?: Readonly<Record<string, Structural>>
  readonly items?: Structural
  readonly additionalProperties?: Structural
  readonly [key: string]: unknown
}

export function structural(schema: z.ZodType): Structural {
  return node(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
}

function node(json: object): Structural {
  const found = new Map(Object.entries(json).filter(([key]) => !DROPPED.has(key)))
  // JavaScript's sources escape slashes; RE2 and readers do without. A format says what the pattern beside it says.
  if (found.get('format') === 'date-time') found.delete('pattern')
  if (found.has('pattern')) found.set('pattern', String(found.get('pattern')).replaceAll('\\/', '/'))
  if (found.get('additionalProperties') === false) found.delete('additionalProperties')
  const result: Record<string, unknown> = {}
  for (const key of KEYWORDS) {
    if (found.has(key)) result[key] = child(key, found.get(key) as object)
    found.delete(key)
  }
  if (found.size > 0) throw new Error(`a CRD has no place for the JSON Schema keywords ${[...found.keys()].join(', ')}`)
  return result
}

function child(key: string, value: object): unknown {
  if (key === 'items' || key === 'additionalProperties') return node(value)
  if (key !== 'properties') return value
  return Object.fromEntries(Object.entries(value).map(([name, property]) => [name, node(property)]))
}

const DROPPED = new Set(['$schema', 'propertyNames'])

/** In the order in which they are written. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'enum',
  'default',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
  'required',
  'properties',
  'items',
  'additionalProperties',
]
