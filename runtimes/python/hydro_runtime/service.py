# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""`hydrosphere.serving.runtime.PredictionService`."""

import logging

import grpc

from .protos import PredictRequest, PredictResponse
from .tensors import Mismatch

_log = logging.getLogger("hydro.predict")
# gRPC carries the text in a header, and peers limit those to 8 kB in all.
_longest_details = 2000


class PredictionService:
    """Answers Predict, on the server's own threads: as many at once as it has workers."""

    def __init__(self):
        self._model = None
        self.handlers = grpc.method_handlers_generic_handler("hydrosphere.serving.runtime.PredictionService", {
            "Predict": grpc.unary_unary_rpc_method_handler(
                self.predict, PredictRequest.FromString, PredictResponse.SerializeToString),
        })

    def serve(self, model):
        """From now on `model` answers."""
        self._model = model

    def predict(self, request, context):
        """One prediction.

        1. Inputs become numpy values; what does not fit the contract is INVALID_ARGUMENT.
        2. The model's function is called; its exception's text is INTERNAL.
        3. What it returned becomes tensors; what does not fit the contract is INTERNAL.
        """
        model = self._model
        if model is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the model has not loaded")
        if not context.is_active():
            context.abort(grpc.StatusCode.CANCELLED, "the caller gave up while waiting for a worker")
        try:
            arguments = model.contract.arguments(request.inputs)
        except Mismatch as mismatch:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, _details(mismatch))
        returned = self._call(model, arguments, context)
        try:
            return PredictResponse(outputs=model.contract.results(returned))
        except Mismatch as mismatch:
            _log.error("the model broke its contract", extra={**_who(context), "reason": str(mismatch)})
            context.abort(grpc.StatusCode.INTERNAL, _details(mismatch))

    def _call(self, model, arguments, context):
        try:
            return model.call(arguments)
        except BaseException as error:  # a model that calls sys.exit() fails its request, not the process
            _log.error("the model raised", exc_info=error, extra=_who(context))
            context.abort(grpc.StatusCode.INTERNAL, _details(f"{type(error).__name__}: {error}"))


def _details(reason):
    text = str(reason)
    return text if len(text) <= _longest_details else text[:_longest_details] + " …"


def _who(context):
    metadata = dict(context.invocation_metadata())
    return {"request_id": metadata["x-request-id"]} if "x-request-id" in metadata else {}
