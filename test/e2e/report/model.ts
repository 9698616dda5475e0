// What the report says, before anybody decides how it looks.

export type Outcome = 'passed' | 'failed' | 'left out'

export type Picture = { readonly title: string; readonly source: string }

export type Scenario = {
  readonly title: string
  readonly outcome: Outcome
  readonly seconds: number
  /** Why it has failed. */
  readonly failure: string
  readonly figures: readonly string[]
  readonly pictures: readonly Picture[]
}

/** The tests that a describe block holds. */
export type Group = { readonly title: string; readonly scenarios: readonly Scenario[] }

export type Section = {
  readonly gateway: string
  readonly groups: readonly Group[]
  /** For each stage that was started, how long that took. */
  readonly stageSeconds: readonly number[]
}

export type Table = {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** How often a column says each word that decides, for columns of such words. */
export function sumsOf({ columns, rows }: Table): readonly { readonly column: string; readonly sums: string }[] {
  return columns.flatMap((column, index) => {
    const words = rows.map(row => DECIDES.exec(row[index] ?? '')?.[0])
    const counts = [...Map.groupBy(words, word => word ?? 'neither')].map(([word, all]) => `${all.length} ${word}`)
    return words.every(word => word === undefined) ? [] : [{ column, sums: counts.join(', ') }]
  })
}

/** What a cell begins with that says whether a way is open. */
export const DECIDES = /^(?:open|closed|refused|taken over)\b/

export type Version = { readonly part: string; readonly version: string }

export type Report = {
  readonly at: Date
  readonly seconds: number
  readonly machine: string
  readonly versions: readonly Version[]
  readonly sections: readonly Section[]
  readonly tables: readonly Table[]
}

export function scenariosOf(groups: readonly Group[]): readonly Scenario[] {
  return groups.flatMap(group => group.scenarios)
}

export function count(scenarios: readonly Scenario[], outcome: Outcome): number {
  return scenarios.filter(each => each.outcome === outcome).length
}

export function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
