"""What an integrator of a call centre uses: mappings tried against samples, events sent as the vendor would, guide and kit."""
