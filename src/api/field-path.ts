// Field paths as people read and write them: `spec.access[1].name`, `metadata.labels["a.b/c"]`.

export type FieldPath = readonly (string | number)[]

export function fieldPath(path: FieldPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!PLAIN.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

/** The steps that `fieldPath` made a text of. */
export function steps(text: string): FieldPath {
  return [...text.matchAll(STEP)].map(([, quoted, index, name]) => {
    if (quoted !== undefined) return JSON.parse(quoted) as string
    return index === undefined ? name! : Number(index)
  })
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/
const STEP = /\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([A-Za-z_][A-Za-z0-9_-]*)/g
