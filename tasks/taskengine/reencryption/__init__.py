"""``taskengine reencrypt``: encrypts anew, under the first key, what another one encrypted.

``sealed`` knows where in a record something is kept encrypted, ``walk`` goes through the records of a live
namespace, ``report`` is the command.
"""
