// Admission with the shipped manifests applied: facts are objects of the cluster, and come by watches.
import { describeAdmission } from './admission.ts'
import { prepareInstalled } from './installed-webhook.ts'

describeAdmission('admission by the API server, with Portcullis installed', prepareInstalled)
