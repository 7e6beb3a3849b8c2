# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# Certificates and kubeconfigs of the servers that run here. Files that exist
# are kept. All paths are relative to the state directory.

cert() { # NAME SUBJECT [ALTERNATIVE_NAMES]; issued by pki/${CA:-ca}
  [ -s "pki/$1.crt" ] && return
  local issuer=(-CA "pki/${CA:-ca}.crt" -CAkey "pki/${CA:-ca}.key") kind=critical,CA:FALSE use=digitalSignature
  case $1 in *ca) issuer=() kind=critical,CA:TRUE use=keyCertSign,cRLSign,digitalSignature ;; esac
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -sha256 \
    -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') -subj "$2" "${issuer[@]}" \
    -addext basicConstraints=$kind -addext keyUsage=critical,$use -addext extendedKeyUsage=serverAuth,clientAuth \
    ${3:+-addext "subjectAltName=$3"} -keyout "pki/$1.key" -out "pki/$1.crt" 2>/dev/null
  chmod 600 "pki/$1.key"
}

service_account_keys() {
  [ -s pki/sa.key ] || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pki/sa.key 2>/dev/null
  [ -s pki/sa.pub ] || openssl pkey -in pki/sa.key -pubout -out pki/sa.pub
  chmod 600 pki/sa.key
}

kubeconfig() { # NAME SERVER
  [ -s "$1.kubeconfig" ] && return
  cat >"$1.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: local
clusters: [{name: local, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 pki/ca.crt)}}]
contexts: [{name: local, context: {cluster: local, user: $1}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "pki/$1.crt"), client-key-data: $(base64 -w0 "pki/$1.key")}}]
END
  chmod 600 "$1.kubeconfig"
}
