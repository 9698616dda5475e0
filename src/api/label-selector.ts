// A Kubernetes LabelSelector: its schema and its normal form.
import * as z from 'zod'
import { withRules } from './rules.ts'

export type LabelSelector = {
  /** Without a prototype: its keys are somebody's text. */
  readonly matchLabels: Readonly<Record<string, string>>
  readonly matchExpressions: readonly LabelExpression[]
}

export type LabelExpression = {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: readonly string[]
}

const KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/
const KEY_MESSAGE = 'must be a label key such as kubernetes.io/metadata.name'
const VALUE_MESSAGE = 'must be a label value: at most 63 letters, digits, dashes, underscores and dots'
const MAX_KEY = 317
const MAX_VALUE = 63
const MAX_LABELS = 16

const value = () => z.string().max(MAX_VALUE).regex(VALUE, VALUE_MESSAGE)

// Not a zod record: that drops a key `__proto__` in silence, which would widen the selector.
const matchLabels = z
  .unknown()
  .meta({
    type: 'object',
    description: 'Labels that a namespace must carry, with exactly these values.',
    maxProperties: MAX_LABELS,
    additionalProperties: { type: 'string', maxLength: MAX_VALUE, pattern: VALUE.source },
    'x-kubernetes-validations': [
      { rule: `self.all(k, k.matches('${KEY.source.replaceAll('\\/', '/')}'))`, message: `each key ${KEY_MESSAGE}` },
    ],
  })
  .transform((input, context): Record<string, string> => {
    const labels: Record<string, string> = Object.create(null)
    const refuse = (message: string, path: string[]) => context.addIssue({ code: 'custom', message, path, input })
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      refuse('must be a map of labels and their values', [])
      return labels
    }
    const entries = Object.entries(input)
    if (entries.length > MAX_LABELS) refuse(`must have at most ${MAX_LABELS} entries`, [])
    for (const [key, text] of entries) {
      if (key.length > MAX_KEY || !KEY.test(key)) refuse(KEY_MESSAGE, [key])
      if (typeof text !== 'string' || text.length > MAX_VALUE || !VALUE.test(text)) refuse(VALUE_MESSAGE, [key])
      else labels[key] = text
    }
    return labels
  })

const expression = withRules(
  z.strictObject({
    key: z.string().max(MAX_KEY).regex(KEY, KEY_MESSAGE).describe('The label that is looked at.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('How the label relates to the values: In, NotIn, Exists or DoesNotExist.'),
    values: z
      .array(value())
      .max(64)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .describe('What the label is compared with; needed by In and NotIn, refused with the others.'),
  }),
  [
    {
      cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
      holds: ({ operator, values = [] }) => ['In', 'NotIn'].includes(operator) === values.length > 0,
      message: 'In and NotIn need values; Exists and DoesNotExist must have none',
      at: ['values'],
      reads: [['operator'], ['values']],
    },
  ],
)

/** A selector that says something: in Kubernetes an empty one stands for everything, which nobody should get by omission. */
const fields = withRules(
  z.strictObject({
    matchLabels: matchLabels.optional(),
    matchExpressions: z
      .array(expression)
      .max(16)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .describe('Conditions that its labels must meet, all of them.'),
  }),
  [
    {
      cel:
        'has(self.matchLabels) && self.matchLabels.size() > 0' +
        ' || has(self.matchExpressions) && self.matchExpressions.size() > 0',
      holds: ({ matchLabels = {}, matchExpressions = [] }) =>
        Object.keys(matchLabels).length + matchExpressions.length > 0,
      message:
        'an empty selector would admit every namespace; if that is meant, say' +
        ' matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]',
      reads: [['matchLabels'], ['matchExpressions']],
    },
  ],
).meta({ 'x-kubernetes-map-type': 'atomic' })

export const labelSelector = () => fields.transform(normalised)

function normalised({ matchLabels, matchExpressions = [] }: z.output<typeof fields>): LabelSelector {
  return {
    matchLabels: matchLabels ?? Object.create(null),
    matchExpressions: matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })),
  }
}
