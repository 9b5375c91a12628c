"""Write a checkpoint's network as ONNX, for the playground that draws digits in the page: `make page-model`.

It makes an environment of its own, since the book needs nothing of ONNX, and writes two files into
book/assets/playground: the network, and a script that says of what size, hash and origin it is.
"""
