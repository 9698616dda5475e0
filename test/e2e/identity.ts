// Who the application is told it is spoken to by: the one who has logged in, whatever a client says.
import { expect, test } from '@jest/globals'
import { type Ground, header, outcome } from './protected.ts'

const NAMES = ['user', 'email', 'groups', 'preferred-username'].map(each => `x-auth-request-${each}`)

const MADE_UP = {
  'X-Auth-Request-User': 'evil',
  'X-Auth-Request-Email': 'evil@corp.test',
  'X-Auth-Request-Groups': 'evil',
  'X-Auth-Request-Access-Token': 'evil',
  'X-Forwarded-User': 'evil',
  'X-Forwarded-Email': 'evil@corp.test',
  'X-Forwarded-Groups': 'evil',
  'X-Forwarded-Access-Token': 'evil',
}

/** For applications that read headers as CGI does, which makes one name of all of these. */
const SIGNS = { underscores: '_', dots: '.' }

export function testIdentity({ inA, stage, fresh, loggedIn }: Ground): void {
  test('the application learns who has logged in', async () => {
    const got = await (await loggedIn('anna')).ask(inA.url('/'))
    expect(header(got, 'x-auth-request-email')).toEqual([`anna@${stage().domain}`])
    expect(header(got, 'x-auth-request-preferred-username')).toEqual([`anna@${stage().domain}`])
    expect(header(got, 'x-auth-request-groups')).toEqual(['0b1f4cb6-4f2a-4b0e-a5c4-00000000000a'])
    expect(header(got, 'x-auth-request-user')).toHaveLength(1)
  })

  test('identity headers that a client makes up do not arrive, whoever they name', async () => {
    const got = await (await loggedIn('anna')).ask(inA.url('/'), { headers: MADE_UP })
    expect(outcome(got)).toEqual([200, inA.application])
    expect(got.body).not.toContain('evil')
    expect(header(got, 'x-auth-request-email')).toEqual([`anna@${stage().domain}`])
  })

  for (const [name, sign] of Object.entries(SIGNS)) {
    test(`nor do they with ${name} in their names`, async () => {
      const headers = Object.fromEntries(NAMES.map(each => [each.replaceAll('-', sign), 'evil']))
      const got = await (await loggedIn('anna')).ask(inA.url('/'), { headers })
      // To refuse the request is as good.
      expect(JSON.stringify(got.reached?.headers ?? [])).not.toContain('evil')
    })
  }

  test('without a session they open nothing', async () => {
    expect(outcome(await fresh().ask(inA.url('/'), { headers: MADE_UP }))).toEqual([302, undefined])
  })
}
