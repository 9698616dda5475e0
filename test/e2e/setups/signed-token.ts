// A token that the OpenID provider of the stage could have signed, whoever it says it is from.
import { createPrivateKey, sign } from 'node:crypto'
// @ts-expect-error: no declarations; what oidc-provider signs with where it is given no keys.
import keystore from '../../../node_modules/oidc-provider/lib/consts/dev_keystore.js'

export function signedToken(claims: Readonly<Record<string, unknown>>): string {
  const [key] = keystore.keys
  const now = Math.floor(Date.now() / 1000)
  const parts = [
    { alg: 'RS256', typ: 'JWT', kid: key.kid },
    { iat: now, exp: now + 600, ...claims },
  ]
  const text = parts.map(each => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(text), createPrivateKey({ key, format: 'jwk' }))
  return `${text}.${signature.toString('base64url')}`
}
