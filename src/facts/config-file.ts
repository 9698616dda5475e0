// The configuration file: read when we start, looked at again and again; a broken one never replaces a good one.
import { readFile } from 'node:fs/promises'
import { type Config, parseConfig } from '../api/config.ts'
import { inFile, readDocuments } from '../api/documents.ts'
import { inWords } from '../core/thrown.ts'
import type { Log } from '../log.ts'
import { describe } from './documents.ts'

/** Problems: each in one line, with file, line and field. */
export type ReadConfig = { readonly config: Config } | { readonly problems: readonly string[] }

export async function readConfigFile(file: string): Promise<ReadConfig> {
  const read = await readFile(file, 'utf8').catch((error: Error) => error)
  return typeof read === 'string' ? readConfig(read, file) : { problems: [inWords(read)] }
}

/** `file`: where the text is from, for people. */
export function readConfig(text: string, file: string): ReadConfig {
  const { documents, problems } = readDocuments(text, file)
  if (problems.length > 0) return { problems: problems.map(describe) }
  const [doc, another] = documents
  if (doc === undefined || another !== undefined || doc.object.kind !== 'PortcullisConfig') {
    return { problems: [`${file}: has to hold one PortcullisConfig and nothing else`] }
  }
  const parsed = parseConfig(doc.object)
  if ('value' in parsed) return { config: parsed.value }
  return { problems: parsed.problems.map(problem => describe(inFile(doc, problem))) }
}

export type FollowOptions = {
  readonly file: string
  /** In use. */
  readonly config: Config
  readonly everyMs: number
  readonly use: (next: Config) => void
  readonly log: Log
}

export type Following = {
  /** Of the file as it is now; in use is the last good one. */
  problems(): readonly string[]
  stop(): void
}

/** Looks by reading again and again: notifications get lost where a ConfigMap is mounted. */
export function followConfig({ file, config, everyMs, use, log }: FollowOptions): Following {
  let used = JSON.stringify(config)
  let wrong: readonly string[] = []
  const refuse = (problems: readonly string[]) => {
    if (String(problems) !== String(wrong))
      log.error({ file, problems }, 'configuration is not used, the last good one stays')
    wrong = problems
  }
  const look = async () => {
    const read = await readConfigFile(file)
    if ('problems' in read) return refuse(read.problems)
    const next = JSON.stringify(read.config)
    if (next !== used) {
      use(read.config)
      used = next
      log.info({ file }, 'configuration has changed')
    }
    wrong = []
  }
  // A fault of ours with a file that nobody has thought of is no reason to end.
  const looking = () => void look().catch(error => refuse([`${file}: ${inWords(error)}`]))
  const timer = setInterval(looking, everyMs)
  return { problems: () => wrong, stop: () => clearInterval(timer) }
}
