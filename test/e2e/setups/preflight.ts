// What a browser gets that asks whether a page of another site may speak to the application.
import { expect, test } from '@jest/globals'
import { type Ground, outcome } from '../protected.ts'

/** As browsers send it: without any cookie. */
export const PREFLIGHT = {
  method: 'OPTIONS',
  headers: {
    accept: '*/*',
    origin: 'https://elsewhere.test',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'content-type',
  },
} as const

export function testPreflight({ inA, fresh, loggedIn }: Ground): void {
  test('a preflight does not reach the application: it has no session', async () => {
    const got = await fresh().ask(inA.url('/api'), PREFLIGHT)
    expect([...outcome(got), got.header('access-control-allow-origin')]).toEqual([302, undefined, undefined])
  })

  test('OPTIONS with a session reaches it', async () => {
    const got = await (await loggedIn('alice')).ask(inA.url('/api'), PREFLIGHT)
    expect(got.reached).toMatchObject({ method: 'OPTIONS', url: '/api', application: inA.application })
  })
}
