// Admission by the webhook that reads its facts from files.
import { describeAdmission } from './admission.ts'
import { prepareWebhook } from './webhook.ts'

describeAdmission('admission by the API server', prepareWebhook)
