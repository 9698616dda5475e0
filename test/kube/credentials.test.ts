// Who we are: from kubeconfigs of every kind, and from a Pod's service account.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { connect } from '../../src/kube/connection.ts'
import { findCredentials } from '../../src/kube/credentials.ts'
import { serviceAccountCredentials } from '../../src/kube/service-account.ts'
import { base64, writeKubeconfig } from './server.ts'

let dir = ''

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-kube-'))
})

const SERVER = 'https://api.example.com:6443'

async function read(path: string) {
  return (await findCredentials(path, {}))(false)
}

describe('a kubeconfig', () => {
  test('gives what is written in it', async () => {
    const cluster = { server: SERVER, 'certificate-authority-data': base64('the ca'), 'tls-server-name': 'api' }
    const user = {
      token: 'abc',
      as: 'somebody',
      'client-certificate-data': base64('the cert'),
      'client-key-data': base64('the key'),
    }
    expect(await read(writeKubeconfig(dir, cluster, user))).toEqual({
      server: SERVER,
      tls: { ca: 'the ca', cert: 'the cert', key: 'the key', servername: 'api' },
      headers: { Authorization: 'Bearer abc', 'Impersonate-User': 'somebody' },
      namespace: 'shops',
    })
  })

  test('gives what is in the files that it names, from its own folder, and again when they change', async () => {
    writeFileSync(join(dir, 'ca.crt'), 'the ca')
    writeFileSync(join(dir, 'user.crt'), 'the cert')
    writeFileSync(join(dir, 'user.key'), 'the key')
    writeFileSync(join(dir, 'token'), 'abc\n')
    const cluster = { server: SERVER, 'certificate-authority': 'ca.crt', 'insecure-skip-tls-verify': false }
    const user = {
      tokenFile: 'token',
      token: 'older',
      'client-certificate': join(dir, 'user.crt'),
      'client-key': 'user.key',
    }
    const credentials = await findCredentials(writeKubeconfig(dir, cluster, user), {})
    expect(await credentials(false)).toMatchObject({
      tls: { ca: 'the ca', cert: 'the cert', key: 'the key' },
      headers: { Authorization: 'Bearer abc' },
    })
    writeFileSync(join(dir, 'token'), 'def\n')
    writeFileSync(join(dir, 'ca.crt'), 'another')
    expect(await credentials(false)).toMatchObject({ tls: { ca: 'another' }, headers: { Authorization: 'Bearer def' } })
  })

  test('is found by $KUBECONFIG, where the first of several files counts, and in the home folder', async () => {
    const first = writeKubeconfig(dir, { server: SERVER }, { token: 'first' }, 'first')
    const second = writeKubeconfig(dir, { server: SERVER }, { token: 'second' }, 'second')
    const several = await findCredentials(undefined, { KUBECONFIG: `${first}:${second}`, HOME: dir })
    expect((await several(false)).headers).toEqual({ Authorization: 'Bearer first' })
    mkdirSync(join(dir, '.kube'))
    writeKubeconfig(join(dir, '.kube'), { server: SERVER }, { token: 'home' })
    expect((await (await findCredentials(undefined, { HOME: dir }))(false)).headers).toEqual({
      Authorization: 'Bearer home',
    })
  })

  test('may have its parts in several files', async () => {
    const whole = writeKubeconfig(dir, { server: SERVER }, { token: 'abc' }, 'whole')
    const current = join(dir, 'current')
    writeFileSync(current, 'current-context: y\ncontexts: [{name: y, context: {cluster: c, user: u}}]\n')
    const credentials = await findCredentials(undefined, { KUBECONFIG: `${current}:${whole}` })
    expect(await credentials(false)).toEqual({ server: SERVER, tls: {}, headers: { Authorization: 'Bearer abc' } })
  })

  test.each([
    ['no context', 'kind: Config\n', 'names no current context'],
    ['a context that is not there', 'current-context: x\n', 'has no context named "x"'],
    [
      'a cluster without a server',
      'current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]\n',
      'has no server',
    ],
    ['no mapping', '- a\n', 'is no kubeconfig'],
  ])('with %s says so', async (_, text, message) => {
    writeFileSync(join(dir, 'config'), text)
    await expect(read(join(dir, 'config'))).rejects.toThrow(message)
  })

  test('that is broken is not shown: a token may be in the line', async () => {
    writeFileSync(join(dir, 'config'), 'users:\n- user: {token: secret-token: x\n')
    const error = await read(join(dir, 'config')).catch((thrown: unknown) => String(thrown))
    expect(error).toContain('is no kubeconfig')
    expect(error).not.toContain('secret-token')
  })

  test('with a plain http address is refused', async () => {
    const path = writeKubeconfig(dir, { server: 'http://127.0.0.1:8080' }, {})
    await expect(connect(path, {})).rejects.toThrow('is no https:// address')
  })

  test('that has a program run for a token is read by client-node; the program runs again when the token is refused', async () => {
    const program = join(dir, 'login')
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t%s"}}'
    const count = `n=$(cat ${dir}/runs 2>/dev/null || echo 0); n=$((n+1)); echo $n > ${dir}/runs`
    writeFileSync(program, `#!/bin/sh\n${count}\nprintf '${credential}' $n\n`, { mode: 0o700 })
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: program, interactiveMode: 'Never' }
    const cluster = { server: SERVER, 'certificate-authority-data': base64('the ca') }
    const credentials = await findCredentials(writeKubeconfig(dir, cluster, { exec }), {})
    expect(await credentials(false)).toEqual({
      server: SERVER,
      tls: { ca: 'the ca' },
      headers: { Authorization: 'Bearer t1' },
      namespace: 'shops',
    })
    expect((await credentials(false)).headers).toEqual({ Authorization: 'Bearer t1' })
    expect((await credentials(true)).headers).toEqual({ Authorization: 'Bearer t2' })
  }, 60_000)

  test('with a name and password, or a proxy, is read by client-node', async () => {
    const user = { username: 'me', password: 'secret' }
    const path = writeKubeconfig(dir, { server: SERVER, 'proxy-url': 'http://proxy.example.com:3128' }, user)
    const credentials = await read(path)
    expect(credentials.headers).toEqual({ Authorization: `Basic ${base64('me:secret')}` })
    expect(credentials.agent?.constructor.name).toBe('HttpsProxyAgent')
  }, 60_000)
})

describe('a Pod', () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }

  test('has a service account, whose token is read each time', async () => {
    for (const [name, text] of Object.entries({ token: 'abc\n', 'ca.crt': 'the ca', namespace: 'portcullis' })) {
      writeFileSync(join(dir, name), text)
    }
    const credentials = serviceAccountCredentials(env, dir)
    expect(await credentials?.(false)).toEqual({
      server: 'https://10.96.0.1:443',
      tls: { ca: 'the ca' },
      headers: { Authorization: 'Bearer abc' },
      namespace: 'portcullis',
    })
    writeFileSync(join(dir, 'token'), 'def')
    expect((await credentials?.(false))?.headers).toEqual({ Authorization: 'Bearer def' })
  })

  test('may have an IPv6 address for its API server', async () => {
    for (const name of ['token', 'ca.crt', 'namespace']) writeFileSync(join(dir, name), 'x')
    const credentials = serviceAccountCredentials({ ...env, KUBERNETES_SERVICE_HOST: 'fd00::1' }, dir)
    expect((await credentials?.(false))?.server).toBe('https://[fd00::1]:443')
  })

  test('and no kubeconfig: neither is a sentence', async () => {
    await expect(findCredentials(undefined, { HOME: dir })).rejects.toThrow('no cluster to connect to')
  })
})
