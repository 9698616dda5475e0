// The real command line in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '../../src/commands/io.ts'

export type Ended = { code: number | null; out: string; err: string }
export type Started = {
  /** What it has written so far. */
  out(): string
  /** Resolves when standard output has such a line; rejects when the process ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

const MAIN = join(import.meta.dirname, '../../src/main.ts')

export function start(...args: readonly string[]): Started {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk
  })
  const ended = once(child, 'close').then(([code]): Ended => ({ code, ...text }))
  return {
    out: () => text.out,
    line: pattern => lineOf(child, pattern, text, ended),
    kill: signal => void child.kill(signal),
    ended,
  }
}

export function run(...args: readonly string[]): Promise<Ended> {
  return start(...args).ended
}

function lineOf(
  child: ChildProcess,
  pattern: RegExp,
  text: { readonly out: string },
  ended: Promise<Ended>,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = pattern.exec(text.out)
      if (found !== null) resolve(found)
    }
    child.stdout?.on('data', look)
    void ended.then(({ code, out, err }) => reject(new Error(`ended with ${code}: ${out}${err}`)))
    look()
  })
}

export type Captured = Io & { readonly text: { out: string; err: string } }

/** What a command hears and says that runs in this process. */
export function captured(): Captured {
  const text = { out: '', err: '' }
  return {
    text,
    out: more => {
      text.out += more
    },
    err: more => {
      text.err += more
    },
    stopped: () => new Promise(() => {}),
  }
}

/** A folder with these files. */
export function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-commands-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

export const FACTS = `
apiVersion: auth.example/v1alpha1
kind: AuthTeam
metadata: {name: team-a}
spec:
  namespaces: {names: [shops]}
  proxy:
    service: {namespace: shops, name: oauth2-proxy}
    cookieDomains: [a.example.com]
---
apiVersion: v1
kind: Namespace
metadata: {name: shops}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
`

export function ingress(host: string, namespace = 'shops'): string {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  ${namespace === '' ? '' : `namespace: ${namespace}`}
  labels: {auth.example/protect: "true"}
spec:
  ingressClassName: nginx
  rules:
  - host: ${host}
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
`
}
