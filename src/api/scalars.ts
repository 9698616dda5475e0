// Plain YAML scalars as kubectl reads them, which is older YAML: `0644` is octal, `on` and `y` are booleans. They are
// written as they were, and no number is rounded.
import { isScalar, type ScalarTag, type Tags } from 'yaml'

const INT = 'tag:yaml.org,2002:int'
const FLOAT = 'tag:yaml.org,2002:float'
const BOOLEAN = 'tag:yaml.org,2002:bool'
const OLD_OCTAL = /^[-+]?0[0-7]+$/
/** The spellings that YAML 1.2 dropped and sigs.k8s.io/yaml (go-yaml 2) keeps. */
const OLD_BOOLEAN = /^([Yy]|[Yy]es|YES|[Oo]n|ON|[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/

const oldBoolean: ScalarTag = {
  tag: BOOLEAN,
  default: true,
  test: OLD_BOOLEAN,
  resolve: text => /^(y|yes|on)$/i.test(text),
}

export function asKubectlReads(tags: Tags): Tags {
  const scalars = [...tags.filter(isNumberOrBoolean).map(withOldOctal), oldBoolean]
  return [...scalars.map(tag => asWritten(tag, scalars)), ...tags.filter(tag => !isNumberOrBoolean(tag))]
}

function withOldOctal(tag: ScalarTag): ScalarTag {
  if (tag.tag !== INT) return tag
  const resolve: ScalarTag['resolve'] = (text, onError, options) =>
    OLD_OCTAL.test(text) ? octal(text) : tag.resolve(text, onError, options)
  return { ...tag, resolve }
}

function asWritten(tag: ScalarTag, scalars: readonly ScalarTag[]): ScalarTag {
  return {
    ...tag,
    stringify(item, ...rest) {
      const { source, value } = item
      // A value that somebody has set since is no longer what its source says.
      if (source !== undefined && Object.is(read(source, scalars), value)) return source
      return tag.stringify?.(item, ...rest) ?? String(value)
    },
  }
}

function read(source: string, scalars: readonly ScalarTag[]): unknown {
  const tag = scalars.find(({ test }) => test?.test(source))
  const resolved = tag?.resolve(source, () => {}, { intAsBigInt: true })
  return isScalar(resolved) ? resolved.value : resolved
}

function octal(text: string): bigint {
  const value = BigInt(`0o${text.replace(/^[-+]/, '')}`)
  return text.startsWith('-') ? -value : value
}

function isNumberOrBoolean(tag: Tags[number]): tag is ScalarTag {
  return typeof tag === 'object' && tag.collection === undefined && [INT, FLOAT, BOOLEAN].includes(tag.tag)
}
