// What one label on the bare application of a reference setup has to do, whatever gateway it is behind.
import { describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { testIdentity } from '../identity.ts'
import { testReturn, testWithoutSession } from '../login.ts'
import { type Ground, groundOf, outcome, untilClosed, untilOpen } from '../protected.ts'
import { testLevels, testLifetime, testOtherTeam, testOutsiders } from '../sessions.ts'
import { testPreflight } from './preflight.ts'

export type Promised = Pick<Ground, 'kind' | 'stage' | 'inA' | 'inB' | 'teams'> & {
  /** Whether its oauth2-proxy gives a session to people of certain groups only. */
  readonly groups: boolean
  /** Where there is a session: what this setup alone has to do. */
  readonly more?: (ground: Ground) => void
}

/** What is lost on the way by whoever decodes, encodes or cuts once too often; each in a place where that happens. */
const DEEP_LINKS = [
  '/?a=1&b=2',
  '/a%26b?c=%26d&e=%3D%23',
  '/a%2Fb/c?d=%2Fe/f',
  '/a;b=1/c?d=1;e=2&f',
  '/a+b%20c?d=e+f%20g%2Bh',
  '/%C3%A4/%E2%82%AC?%C3%BC=%F0%9F%98%80',
  '/?rd=https%3A%2F%2Fevil.test%2F&rd=/x',
  '/a/.../b~c/?d=%25&e=%2525&f[]=[1]',
]

export function describePromises(promised: Promised): void {
  const { kind, groups, more } = promised
  describe('with one label on the bare application', () => {
    const ground = groundOf(promised)
    const { inA, inB, teams, fresh, label } = ground

    test('before, it is open', async () => {
      expect(outcome(await fresh().ask(inA.url('/')))).toEqual([200, inA.application])
    })

    test('who has no session is sent to the login of the team', async () => {
      for (const each of [inA, inB]) await label(each, 'auth.example/protect=true')
      await untilClosed(fresh(), inA.url('/'), inB.url('/'))
      expect((await fresh().follow(inA.url('/'))).body).toContain(`Sign in to ${teams()[0].name}`)
    }, 120_000)

    testWithoutSession(ground)
    testPreflight(ground)
    testReturn(ground)
    test.each(DEEP_LINKS)('a login leads back to exactly %s', async link => {
      const there = kind.handsOn(link)
      const { url, reached } = await fresh().login(inA.url(link), 'alice')
      expect([url, reached?.url]).toEqual([new URL(inA.url(there)).href, there])
    })
    testIdentity(ground)
    if (groups) testOutsiders(ground)
    testLevels(ground)
    testOtherTeam(ground)
    testLifetime(ground)
    more?.(ground)

    test('without the label it is open again, and the object is what it was', async () => {
      for (const each of [inA, inB]) await label(each, 'auth.example/protect-')
      await untilOpen(fresh(), inA.url('/'), inB.url('/'))
      expect((await ground.now()).map(asItWas)).toEqual(ground.before().map(asItWas))
    }, 120_000)
  })
}

/** All of it, but for what counts writes. */
export function asItWas({ metadata, ...rest }: KubeObject): object {
  const { resourceVersion: _, managedFields: __, ...kept } = metadata
  return { ...rest, metadata: kept }
}
