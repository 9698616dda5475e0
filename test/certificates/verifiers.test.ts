// Every kind of certificate that we make, under every bundle that there may be: OpenSSL and Go say what Node says.
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { beforeAll, expect, test } from '@jest/globals'
import { type Authority, createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'
import { locate } from '../parts/locate.ts'
import { describeWithParts } from '../parts/require.ts'
import { accepts, files, openssl } from './clients.ts'

const NAME = 'portcullis-webhook.portcullis.svc'
const MINUTE = 60_000
const hasOpenssl = spawnSync('openssl', ['version']).status === 0

let authorities: readonly Authority[]
/** Of each authority: one as they are, one that is cut short by its authority's end. */
let leaves: readonly { readonly cert: string; readonly by: Authority }[]
beforeAll(async () => {
  const now = new Date()
  const lives = [undefined, 10 * MINUTE, undefined]
  authorities = await Promise.all(lives.map(life => createAuthority(now, life)))
  const made = authorities.map(async by => ({ ...(await issueLeaf(by, [NAME, `${NAME}.cluster.local`], now)), by }))
  leaves = await Promise.all(made)
})

/** Of one, two and three, in every order. */
function bundles(): readonly (readonly Authority[])[] {
  const orders = (rest: readonly Authority[]): (readonly Authority[])[] => [
    [],
    ...rest.flatMap(each => orders(rest.filter(other => other !== each)).map(others => [each, ...others])),
  ]
  return orders(authorities).filter(each => each.length > 0)
}

function agree(verify: (bundle: string, leaf: string) => boolean): void {
  const seen = { accepted: 0, rejected: 0 }
  for (const bundle of bundles()) {
    const text = bundle.map(({ cert }) => cert).join('')
    for (const { cert, by } of leaves) {
      const isTrusted = bundle.includes(by)
      expect(accepts(text, new X509Certificate(cert), Date.now())).toBe(isTrusted)
      expect(verify(text, cert)).toBe(isTrusted)
      seen[isTrusted ? 'accepted' : 'rejected']++
    }
  }
  expect(seen).toEqual({ accepted: 33, rejected: 12 })
}

test('a leaf never outlives its authority', () => {
  const ends = (cert: string) => new X509Certificate(cert).validToDate.getTime()
  for (const { cert, by } of leaves) expect(ends(cert)).toBeLessThanOrEqual(ends(by.cert))
})

test('OpenSSL agrees', () => {
  if (!hasOpenssl) return console.log('left out: there is no openssl here')
  agree((bundle, leaf) => {
    try {
      return /: OK/.test(openssl(bundle, leaf, NAME, Date.now()))
    } catch {
      return false
    }
  })
}, 60_000)

describeWithParts('Go, which API servers are written in,', ['verify'], () => {
  const verify = (bundle: string, leaf: string, name = NAME) => {
    const { bundleFile, leafFile } = files(bundle, leaf)
    return spawnSync(locate('verify') as string, [bundleFile, name, leafFile]).status === 0
  }

  test('agrees', () => agree(verify), 60_000)

  test('takes a leaf for its names alone', () => {
    const [authority, leaf] = [authorities[0]?.cert as string, leaves[0]?.cert as string]
    expect(verify(authority, leaf, `${NAME}.cluster.local`)).toBe(true)
    expect(verify(authority, leaf, 'portcullis.portcullis.svc')).toBe(false)
    expect(
      execFileSync(locate('verify') as string, [...Object.values(files(authority, leaf))].toSpliced(1, 0, NAME)),
    ).toHaveLength(0)
  })
})
