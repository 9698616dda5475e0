// The OpenID provider of the stage: a process that behaves like a tenant of Entra ID.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../parts/ports.ts'
import { type RunningPart, startPart } from '../../parts/process.ts'
import type { Person } from './people.ts'

export type OpenIdClient = { readonly id: string; readonly secret: string; readonly redirectUris: readonly string[] }

export type OpenIdSettings = {
  readonly port: number
  readonly tenant: string
  readonly people: readonly Person[]
  readonly clients: readonly OpenIdClient[]
  /** Of user principal names. */
  readonly mailDomain: string
}

export type OpenIdProvider = { readonly issuer: string; readonly part: RunningPart }

export async function startOpenIdProvider(
  dir: string,
  files: string,
  options: Omit<OpenIdSettings, 'port'>,
): Promise<OpenIdProvider> {
  const [port] = (await freePorts(1)) as [number]
  const settings: OpenIdSettings = { ...options, port }
  const file = join(files, 'openid-provider.json')
  writeFileSync(file, JSON.stringify(settings))
  const issuer = `http://127.0.0.1:${port}/${options.tenant}/v2.0`
  const part = await startPart({
    name: 'openid-provider',
    command: process.execPath,
    args: [join(import.meta.dirname, 'openid-provider-main.ts'), file],
    dir,
    ready: async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).ok,
  })
  return { issuer, part }
}
