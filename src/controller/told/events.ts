// Events: what was done to an object, or could not be, told beside the object in one line.
import { digest } from '../../core/names.ts'
import { sentence } from '../../core/reasons.ts'
import { inWords } from '../../core/thrown.ts'
import type { KubeObject } from '../../core/types.ts'
import type { Writer, Written } from '../../kube/write.ts'
import type { Log } from '../../log.ts'
import type { Said } from '../context.ts'

type EventReason = Said['said']

type Kind = { readonly type: 'Normal' | 'Warning'; readonly action: string; readonly says: string }

/** `{}` stands for what is particular about it. */
export const EVENT_REASONS: Readonly<Record<EventReason, Kind>> = {
  Protected: {
    type: 'Normal',
    action: 'Protect',
    says: 'the login{} stands in front of this route now; connections that are open, such as WebSockets, are not cut',
  },
  Repaired: { type: 'Normal', action: 'Protect', says: 'the login{} was put right again' },
  Released: {
    type: 'Normal',
    action: 'Release',
    says: 'the label is gone, and so is the login: this route is public now',
  },
  Frozen: { type: 'Warning', action: 'Plan', says: 'left as it is: {}' },
  WaitsForGuards: { type: 'Warning', action: 'Protect', says: 'not protected yet: {}' },
  NotOurs: {
    type: 'Warning',
    action: 'Apply',
    says: 'this object has a name that Portcullis needs, and is not its own; it is left alone: rename or remove it',
  },
  LoopGuard: {
    type: 'Warning',
    action: 'Rest',
    says: 'somebody undoes again and again what Portcullis writes here; it rests for a few minutes: find who does',
  },
  Refused: { type: 'Warning', action: 'Write', says: 'the API server refused what Portcullis wrote: {}' },
  NotAsked: {
    type: 'Warning',
    action: 'Try',
    says: 'routes with the label are not judged by Portcullis: {}',
  },
  GatewayNotPrepared: { type: 'Warning', action: 'Prepare', says: 'routes of this Gateway cannot be protected: {}' },
}

const HOUR_MS = 3_600_000
/** The API server takes no more. */
const NOTE_BYTES = 1024
const LONGEST_NAME = 253
/** Events of what has no namespace are kept here. */
const CLUSTER_NAMESPACE = 'default'
const CONTROLLER = 'portcullis-controller'

/**
 * The same on the same object within an hour has the same name, so that it is stored once whoever repeats it, a
 * controller that was restarted too. `instance`: which replica says so.
 */
export function eventOf(told: Said, instance: string, now: number): KubeObject {
  const { said, about } = told
  const { type, action } = EVENT_REASONS[said]
  const note = noteOf(told)
  const { apiVersion, kind, namespace, name = '', uid } = about
  const place = namespace ?? CLUSTER_NAMESPACE
  const mark = digest(apiVersion, kind, place, name, uid ?? '', said, note)
  const suffix = `.${mark}-${Math.floor(now / HOUR_MS).toString(36)}`
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: place, name: startOfName(name, LONGEST_NAME - suffix.length) + suffix },
    eventTime: new Date(now).toISOString().replace('Z', '000Z'),
    reportingController: CONTROLLER,
    reportingInstance: printable(instance, 128),
    reason: said,
    action,
    type,
    note,
    regarding: {
      apiVersion,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
  }
}

function noteOf(told: Said): string {
  return printable(
    EVENT_REASONS[told.said].says.replace('{}', () => particular(told)),
    NOTE_BYTES,
  )
}

function particular(told: Said): string {
  if ('reasons' in told) return told.reasons.map(sentence).join(' | ')
  if ('message' in told) return told.message
  return 'team' in told && told.team !== undefined ? ` of team ${told.team}` : ''
}

function startOfName(name: string, length: number): string {
  // A name ends with a letter or a digit before each dot.
  return name.slice(0, length).replace(/[^a-z0-9]+$/, '')
}

/** One line of at most so many bytes: other people's text may hold line breaks and control characters. */
function printable(text: string, bytes: number): string {
  const line = text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]+/gu, ' ').trim()
  if (Buffer.byteLength(line) <= bytes) return line
  // A character that was cut in two decodes to U+FFFD.
  const cut = Buffer.from(line)
    .subarray(0, bytes - Buffer.byteLength('…'))
    .toString('utf8')
  return `${cut.replace(/\uFFFD+$/, '')}…`
}

export type Events = {
  /** Never throws and never waits. False: it was said within the hour. */
  say(told: Said): boolean
  readonly counts: { readonly written: number; readonly dropped: number; readonly failed: number }
  /** Resolves when nothing is under way; nothing is taken any more. */
  stop(): Promise<void>
}

export type EventsOptions = {
  readonly writer: Pick<Writer, 'create'>
  readonly instance: string
  readonly log: Log
  /** ms since the epoch. */
  readonly now: () => number
  /** As many may wait to be written. */
  readonly mostWaiting?: number
}

const MOST_WAITING = 200
const MOST_REMEMBERED = 20_000

/** One at a time, each once an hour. What is too much is dropped: Events are a courtesy, and the API server is busy then. */
export function keepEvents({ writer, instance, log, now, mostWaiting = MOST_WAITING }: EventsOptions): Events {
  const counts = { written: 0, dropped: 0, failed: 0 }
  const waiting: KubeObject[] = []
  const told = new Map<string, number>()
  const run = { writing: undefined as Promise<void> | undefined, stopped: false }
  const write = async (event: KubeObject) => {
    const written = await create(writer, event)
    // It exists: it was told before, within this hour.
    if (written.outcome === 'done' || written.outcome === 'exists') {
      counts.written++
      return
    }
    counts.failed++
    told.delete(String(event.metadata.name))
    if (counts.failed === 1) log.warn({ ...written }, 'an Event could not be written')
  }
  const writeAll = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await write(next)
    run.writing = undefined
  }
  return {
    counts,
    say(each) {
      if (run.stopped) return false
      const event = eventOf(each, instance, now())
      const name = String(event.metadata.name)
      if (told.has(name)) return false
      if (waiting.length >= mostWaiting) {
        counts.dropped++
        return true
      }
      forget(told, now())
      told.set(name, now())
      waiting.push(event)
      run.writing ??= writeAll()
      return true
    },
    async stop() {
      run.stopped = true
      waiting.length = 0
      await run.writing
    },
  }
}

async function create(writer: Pick<Writer, 'create'>, event: KubeObject): Promise<Written> {
  try {
    return await writer.create(event)
  } catch (error) {
    return { outcome: 'later', message: inWords(error) }
  }
}

/** Oldest first, as they were put in. */
function forget(told: Map<string, number>, now: number): void {
  for (const [name, at] of told) {
    if (now - at < HOUR_MS && told.size < MOST_REMEMBERED) return
    told.delete(name)
  }
}
