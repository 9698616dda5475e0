// What everybody may expect of the label, on whatever gateway: kept out without a session, and with one exactly where
// they wanted to go.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { until } from '../integration/api.ts'
import { content } from '../integration/objects.ts'
import { testIdentity } from './identity.ts'
import { type Ground, outcome, prepareGround, untilClosed, untilOpen } from './protected.ts'
import { leaveScreenshot } from './report/evidence.ts'
import { testSessions } from './sessions.ts'
import { loginIn, PICTURE, picture, startBrowser } from './stage/browser.ts'
import type { RouteKindOnStage } from './stage/route-kinds.ts'
import type { Stage } from './stage/stage.ts'
import { openWebSocket } from './stage/web-socket.ts'

/** Slashes, signs and letters that are lost on the way by whoever decodes or cuts once too often. */
const DEEP_LINK = '/d/x+y%20z;v=1/%C3%A4/a%2Fb?a=1&b=2&q=a%26b&r=%2Fs;t&plus=a+b&u=%E2%82%AC'

export function describeLogin(kind: RouteKindOnStage, stage: () => Stage): void {
  describe(kind.title, () => {
    const ground = prepareGround(kind, stage)
    const { inA, inB, fresh, label } = ground

    test('without the label it is open, and the application gets what was asked', async () => {
      const { reached, status } = await fresh().ask(inA.url(DEEP_LINK))
      expect({ status, url: reached?.url }).toEqual({ status: 200, url: kind.handsOn(DEEP_LINK) })
    })

    test('with the label, who has no session is sent to the login of the team', async () => {
      for (const each of [inA, inB]) await label(each, 'auth.example/protect=true')
      await untilClosed(fresh(), inA.url('/'), inB.url('/'))
      const got = await fresh().follow(inA.url(DEEP_LINK))
      expect(got.url).toContain(new URL(stage().openId.issuer).host)
      expect(got.body).toContain('Sign in to team-a')
    }, 90_000)

    testWithoutSession(ground)
    testReturn(ground)
    testIdentity(ground)
    testSessions(ground)

    test('without the label it is open again, and the route is what it was', async () => {
      for (const each of [inA, inB]) await label(each, 'auth.example/protect-')
      await untilOpen(fresh(), inA.url('/'), inB.url('/'))
      expect((await ground.now()).map(content)).toEqual(ground.before().map(content))
    }, 90_000)
  })
}

export function testWithoutSession({ kind, stage, inA, fresh, label }: Ground): void {
  test(`a program that wants JSON gets ${kind.json}`, async () => {
    const got = await fresh().ask(inA.url('/'), { headers: { accept: 'application/json' } })
    expect(outcome(got)).toEqual([kind.json, undefined])
  })

  test(`where the label says that clients are programs, one that accepts ${kind.programAccepts} gets 401`, async () => {
    const headers = { accept: kind.programAccepts }
    await label(inA, 'auth.example/client=api')
    await until('it is 401', async () => (await fresh().ask(inA.url('/'), { headers })).status === 401)
    await label(inA, 'auth.example/client-')
    await until('pages are redirected', async () => (await fresh().ask(inA.url('/'))).status === 302)
  }, 130_000)

  test('what is posted, or opened as WebSocket, does not arrive', async () => {
    const posted = await fresh().ask(inA.url('/form'), { method: 'POST', body: 'a=1' })
    const opened = await openWebSocket(stage(), inA.url('/socket'))
    expect([...outcome(posted), opened.status, opened.said]).toEqual([302, undefined, 302, undefined])
  })
}

export function testReturn({ kind, stage, inA, fresh, loggedIn }: Ground): void {
  const there = kind.handsOn(DEEP_LINK)

  test('a login leads back to exactly the page that was asked for', async () => {
    const { status, url, reached } = await fresh().login(inA.url(DEEP_LINK), 'alice')
    expect({ status, url, reached: reached?.url }).toEqual({ status: 200, url: inA.url(there), reached: there })
  })

  test('with a session, forms and WebSockets arrive', async () => {
    const client = await loggedIn('alice')
    const posted = await client.ask(inA.url('/form?x=1'), { method: 'POST', body: 'a=1' })
    expect(posted.reached).toMatchObject({ method: 'POST', url: '/form?x=1', body: 'a=1' })
    const cookie = client.jar.header(new URL(inA.url('/'))) ?? ''
    const opened = await openWebSocket(stage(), inA.url('/socket?x=1'), { cookie })
    expect(JSON.parse(opened.said ?? '{}')).toMatchObject({ application: inA.application, url: '/socket?x=1' })
  })

  describe('in Chromium', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await startBrowser(stage())
    }, 90_000)
    afterAll(() => browser?.close())

    test('a login leads back to exactly the page that was asked for', async () => {
      const page = await browser.newPage({ viewport: PICTURE })
      await page.goto(inA.url(`${DEEP_LINK}#part`))
      leaveScreenshot('without a session', await picture(page))
      await loginIn(page, inA.url(`${DEEP_LINK}#part`), 'alice')
      expect(page.url().split('#')[0]).toBe(inA.url(there))
      expect(JSON.parse(await page.innerText('body')).url).toBe(there)
      leaveScreenshot('alice is back where she wanted to go', await picture(page))
      expect((await page.reload())?.status()).toBe(200)
    }, 90_000)
  })
}
