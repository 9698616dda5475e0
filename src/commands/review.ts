// `portcullis review`: sends an object to a webhook as the API server would, and tells what comes back.
import { readFile } from 'node:fs/promises'
import jsonPatch from 'fast-json-patch'
import { readDocuments } from '../api/documents.ts'
import { string } from '../core/json.ts'
import type { KubeObject } from '../core/types.ts'
import { describe } from '../facts/documents.ts'
import { failure, type Io, OK, REFUSED, USAGE } from './io.ts'
import { type Answer, readAnswer, readError, tell } from './review/answer.ts'
import { post } from './review/post.ts'
import { admissionReview, type Operation } from './review/request.ts'

export type ReviewOptions = {
  readonly file: string
  readonly server: string
  readonly ca: string
  readonly namespace?: string
  readonly operation: Operation
  /** A file with the object as it was before, for UPDATE; without it, as it is now. */
  readonly old?: string
}

/** What ends the command early; its message is for the person who called. */
class Unanswerable extends Error {}

type Asked = { readonly server: URL; readonly ca: string; readonly io: Io }

export async function review(options: ReviewOptions, io: Io): Promise<number> {
  try {
    if (options.old !== undefined && options.operation === 'CREATE')
      throw new Unanswerable('--old is for an update; leave it or --operation CREATE out')
    const server = readServer(options.server)
    const ca = await readAuthority(options.ca)
    const object = await readObject(options.file, '-f', options.namespace)
    const old = options.operation === 'UPDATE' ? await readOld(options, object) : undefined
    return (await isAdmitted(object, old, { server, ca, io })) ? OK : REFUSED
  } catch (error) {
    if (!(error instanceof Unanswerable)) throw error
    io.err(`${error.message}\n`)
    return USAGE
  }
}

/** As the API server does it: what the mutating entry makes of the object goes to the validating one. */
async function isAdmitted(object: KubeObject, old: KubeObject | undefined, asked: Asked): Promise<boolean> {
  const { namespace, name = '(no name yet)' } = object.metadata
  asked.io.out(`${old === undefined ? 'CREATE' : 'UPDATE'} ${object.kind} ${namespace}/${name}\n`)
  const mutated = await ask('/mutate', object, old, asked)
  if (!mutated.allowed) return false
  const validated = await ask('/validate', patched(object, mutated.patch), old, asked)
  return validated.allowed
}

async function ask(
  path: string,
  object: KubeObject,
  old: KubeObject | undefined,
  { server, ca, io }: Asked,
): Promise<Answer> {
  const name = string(object.metadata.name) ?? ''
  const namespace = string(object.metadata.namespace) ?? ''
  const posted = await post(new URL(path, server), admissionReview(object, { namespace, name }, old), ca)
  if ('problem' in posted) throw new Unanswerable(posted.problem)
  const answer = posted.status === 200 ? readAnswer(posted.text) : undefined
  if (answer === undefined) {
    throw new Unanswerable(`${path} answered with status ${posted.status} and no review: ${readError(posted.text)}`)
  }
  io.out(`${path}: ${tell(answer).join('\n')}\n`)
  return answer
}

function patched(object: KubeObject, patch: Answer['patch']): KubeObject {
  try {
    return jsonPatch.applyPatch(object, patch, true, false).newDocument
  } catch (error) {
    throw new Unanswerable(`the patch does not fit the object, so the API server would fail: ${failure(error).message}`)
  }
}

function readServer(url: string): URL {
  const server = URL.parse(url)
  if (server?.protocol !== 'https:') throw new Unanswerable(`--server must be an https:// address, not ${url}`)
  return server
}

async function readAuthority(file: string): Promise<string> {
  const ca = await readText(file, 'make the certificates with npm run certs, or name the right file with --ca')
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Unanswerable(`${file} holds no certificate; name the ca.crt of the server with --ca`)
  }
  return ca
}

async function readOld({ file, old = file, namespace }: ReviewOptions, object: KubeObject): Promise<KubeObject> {
  const before = await readObject(old, '--old', namespace)
  if (before.kind !== object.kind || before.metadata.name !== object.metadata.name) {
    throw new Unanswerable(`${old} and ${file} are not the same object; kind and name have to be equal`)
  }
  return before
}

async function readObject(file: string, flag: string, namespace: string | undefined): Promise<KubeObject> {
  const { documents, problems } = readDocuments(await readText(file, `correct ${flag}`), file)
  if (problems.length > 0) throw new Unanswerable(problems.map(describe).join('\n'))
  const [document, another] = documents
  if (document === undefined) throw new Unanswerable(`${file}: there is no object in it`)
  if (another !== undefined) throw new Unanswerable(`${file}: there are several objects in it; review one at a time`)
  const { metadata } = document.object
  const own = string(metadata.namespace)
  if (own !== undefined && namespace !== undefined && own !== namespace) {
    throw new Unanswerable(`${file}: metadata.namespace is ${own} and -n says ${namespace}; leave one of them out`)
  }
  return { ...document.object, metadata: { ...metadata, namespace: own ?? namespace ?? 'default' } }
}

async function readText(file: string, todo: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Unanswerable(`${failure(error).message}; ${todo}`)
  }
}
