// Every `*.in.yaml` here gives what its `*.out.yaml` says, and what holds for every route holds for each of them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { isObject } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import { REASONS } from '../../src/core/reasons.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { factsOf, findCases, type GoldenCase, nameOf, readCase } from './case.ts'
import { answer, companionsOf, deepFreeze, planned, type Result, run, scopesOf, withoutLabel } from './run.ts'
import { writeAnswer, writeResult } from './write.ts'

const { cases, orphans } = findCases()
const goldens = cases.map(readCase)
const said = goldens.map(readOut)

test('there is a case for every out.yaml', () => {
  expect(orphans).toEqual([])
  expect(cases.length).toBeGreaterThan(0)
})

test.each(Object.keys(REASONS))('the reason %s is met in a golden', code => {
  const meets = new RegExp(`^ *- (code: )?${code}$|\\[${code}\\]`, 'm')
  expect(said.some(text => meets.test(text))).toBe(true)
})

describe.each(goldens)('$title', golden => {
  const { requests } = golden
  if (requests !== undefined) {
    const text = () => requests.map(each => writeAnswer(answer(golden, each))).join('---\n')
    test('gives what its out.yaml says', () => expectGolden(golden, text()))
    return
  }
  const before = JSON.stringify(golden.documents)
  const result = run(golden)
  test('gives what its out.yaml says', () => expectGolden(golden, writeResult(golden, result)))
  test('planned again, with the patch applied, changes nothing', () => expectStable(result))
  test('without the label the object is as it was', () => expectUndone(golden, result))
  test('the input is not touched', () => expect(JSON.stringify(golden.documents)).toBe(before))
  test('the order of keys does not matter', () => expectOrderless(golden, result))
  test('the companions are the same after the second plan', () => expectSameCompanions(result))
  test('every companion has a valid name of its own', () => expectNames(result))
  test('every key and value that is written is valid', () => expectMetadata(result))
})

/** With UPDATE_GOLDEN=1 the file is rewritten, and the test fails all the same: the difference is to be read. */
function expectGolden(golden: GoldenCase, text: string): void {
  const said = readOut(golden)
  if (process.env.UPDATE_GOLDEN === '1' && said !== text) writeFileSync(golden.outFile, text)
  expect(text).toBe(said)
}

function readOut({ outFile }: GoldenCase): string {
  return existsSync(outFile) ? readFileSync(outFile, 'utf8') : ''
}

function expectStable({ routes, facts }: Result): void {
  for (const { plan, stored } of routes) {
    const again = planned(deepFreeze(stored), facts)
    expect(again.stored).toEqual(stored)
    if (plan.outcome === 'deny' || plan.outcome === 'skip') expect(again.plan).toEqual(plan)
    if (plan.outcome === 'protect') expect(again.plan).toEqual({ ...plan, patch: [] })
    if (plan.outcome === 'release') expect(again.plan.outcome).toBe('skip')
  }
}

/** What a record in the input says was there is the owner's too, so both are taken back. */
function expectUndone({ documents }: GoldenCase, { routes, facts }: Result): void {
  expect(documents.length).toBeGreaterThan(0)
  for (const { input, stored, plan } of routes) {
    // Where the namespace gives the label, taking the route's own away does not end its protection.
    const given = facts.namespace(String(input.metadata.namespace))?.labels[PROTECT]
    if (plan.outcome !== 'protect' || given !== undefined) continue
    const undone = planned(withoutLabel(stored), facts).stored
    const owners = planned(withoutLabel(input), facts).stored
    expect(undone).toEqual(owners)
    if (!hasRecord(input)) expect(undone).toEqual(withoutLabel(input))
  }
}

function hasRecord({ metadata }: KubeObject): boolean {
  return isObject(metadata.annotations) && metadata.annotations[INJECTED] !== undefined
}

function expectOrderless(golden: GoldenCase, { routes, companions }: Result): void {
  const facts = factsOf({ ...golden, documents: golden.documents.map(reversed) })
  const others = routes.map(({ input }) => planned(reversed(input), facts))
  expect(others.map(each => JSON.stringify(each.plan))).toEqual(routes.map(each => JSON.stringify(each.plan)))
  for (const { stored } of others) facts.put(stored)
  const scopes = routes.flatMap(each => scopesOf(each.plan))
  expect(companionsOf(scopes, facts)).toEqual(
    companions.slice(0, new Set(scopes.map(each => JSON.stringify(each))).size),
  )
}

function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, reversed(each)]),
  ) as T
}

function expectSameCompanions({ routes, facts, companions }: Result): void {
  const again = routes.map(({ stored }) => planned(stored, facts))
  for (const { stored } of again) facts.put(stored)
  const scopes = again.flatMap(each => scopesOf(each.plan))
  const now = companionsOf(scopes, facts)
  expect(now).toEqual(companions.slice(0, now.length))
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** Two scopes, or two gateways, may want the same object; never different ones under one name. */
function expectNames({ companions, facts }: Result): void {
  const objects = companions.flatMap(({ scope }) => gateways.flatMap(gateway => gateway.companions(scope, facts)))
  const byName = new Map<string, KubeObject>()
  for (const { object } of objects) {
    const { name, namespace } = object.metadata
    expect(name).toMatch(SUBDOMAIN)
    expect(`${name}`.length).toBeLessThanOrEqual(253)
    expect(namespace).toMatch(/^[a-z0-9-]{1,63}$/)
    expect(byName.get(nameOf(object)) ?? object).toEqual(object)
    byName.set(nameOf(object), object)
  }
}

// The API server judges keys of annotations in small letters.
const KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$/i
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

function expectMetadata({ companions, routes }: Result): void {
  for (const { object: companion } of companions.flatMap(each => each.companions)) {
    const { annotations, labels } = companion.metadata
    for (const key of [...keysOf(annotations), ...keysOf(labels)]) expect(key).toMatch(KEY)
    for (const value of Object.values(labels ?? {})) expect(value).toMatch(LABEL_VALUE)
  }
  for (const { input, stored } of routes) {
    const owners = new Set(keysOf(input.metadata.annotations))
    for (const key of keysOf(stored.metadata.annotations)) if (!owners.has(key)) expect(key).toMatch(KEY)
    if (input !== stored) expect(sizeOf(stored)).toBeLessThanOrEqual(256 * 1024)
  }
}

function keysOf(map: unknown): string[] {
  return isObject(map) ? Object.keys(map) : []
}

function sizeOf({ metadata }: KubeObject): number {
  return Object.entries(metadata.annotations ?? {}).reduce(
    (sum, [key, value]) => sum + key.length + `${value}`.length,
    0,
  )
}
