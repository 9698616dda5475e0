// A cluster of documents and what is stored of ours, with steps taken as the API server would.
import type { Key } from '../../src/controller/keys.ts'
import { OwnedObjects } from '../../src/controller/owned.ts'
import { nextSteps, type Seen, type Step } from '../../src/controller/steps/steps.ts'
import { identity } from '../../src/core/companions.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'

export const NOW = Date.parse('2026-06-01T12:00:00Z')
export const NET = 'portcullis-zz-net'

export function made(object: KubeObject, secondsAgo: number): KubeObject {
  const creationTimestamp = `${new Date(NOW - secondsAgo * 1000).toISOString().slice(0, 19)}Z`
  const { name, namespace } = object.metadata
  return {
    ...object,
    metadata: { uid: `${namespace}-${name}`, resourceVersion: '1', ...object.metadata, creationTimestamp },
  }
}

/** What is done in turns, in one go; `meanwhile` happens after the first turn. */
export function finish<T>(turns: Generator<void, T>, meanwhile = () => {}): T {
  let next = turns.next()
  meanwhile()
  while (next.done !== true) next = turns.next()
  return next.value
}

/** `do` and name, such as `apply portcullis-team.team-a`. */
export function inWords(steps: readonly Step[]): string[] {
  return steps.map(step => `${step.do} ${step.object.metadata.name}`)
}

export type Stored = {
  readonly facts: FactStore
  readonly owned: OwnedObjects
  next(key: Key, blocked?: readonly KubeObject[], seen?: Seen): readonly Step[]
  /** Takes every step until none is left, and tells them. Objects are as old as said. */
  settle(key: Key, secondsAgo?: number): string[]
  find(name: string): KubeObject
}

/** `absent`: kinds that are not served. */
export function stored(facts: FactStore, absent: readonly string[] = []): Stored {
  const owned = new OwnedObjects()
  const isAbsent = (kind: string) => absent.includes(kind)
  const next = (key: Key, blocked: readonly KubeObject[] = [], seen?: Seen) =>
    nextSteps(key, { facts, owned, gateways, now: NOW, isAbsent }, new Set(blocked.map(identity)), seen)
  return {
    facts,
    owned,
    next,
    settle(key, secondsAgo = 0) {
      const done: string[] = []
      for (let steps = next(key); steps.length > 0; steps = next(key)) {
        done.push(...inWords(steps))
        if (done.length > 100) throw new Error(done.join('\n'))
        for (const step of steps) take(step, owned, secondsAgo)
      }
      return done
    },
    find(name) {
      const found = [...owned.all()].find(each => each.metadata.name === name)
      if (found === undefined) throw new Error(`no ${name}`)
      return found
    },
  }
}

function take(step: Step, owned: OwnedObjects, secondsAgo: number): void {
  if (step.do === 'remove') {
    owned.remove(step.object)
    return
  }
  const there = owned.get(identity(step.object))
  if (there === undefined) {
    owned.put(made(step.object, secondsAgo))
    return
  }
  const { metadata } = step.object
  owned.put({ ...there, spec: step.object.spec, metadata: { ...there.metadata, annotations: metadata.annotations } })
}
